import { setTimeout as sleep } from 'node:timers/promises'
import { hostRuntime } from '../schedulers/runtime.ts'
import { createSlurm } from '../schedulers/slurm.ts'
import type { Cluster } from './submit.ts'

/** A submission without an answer is looked for this often; a frozen controller takes its time when it wakes up. */
const LOOKS = 4
const BETWEEN_LOOKS_MS = 5_000

/** The Slurm of this machine. */
export function openCluster(env: NodeJS.ProcessEnv = process.env): Cluster {
  const runtime = hostRuntime(env)
  return {
    runtime,
    scheduler: createSlurm(runtime),
    patience: { looks: LOOKS, pause: () => sleep(BETWEEN_LOOKS_MS) },
  }
}
