import type { System } from '../../capacity/system.ts'
import { count, ownFacts } from '../own-facts.ts'
import type { Inside } from '../types.ts'
import { allocationOf, parsePbsId } from './listing.ts'
import type { PbsKind } from './script.ts'

/** What PBS or Torque says of the allocation of this process; each is undefined inside the other's. */
export function insidePbs(kind: PbsKind, { env, read }: Pick<System, 'env' | 'read'>): Inside | undefined {
  const job = env.PBS_JOBID
  const parts = parsePbsId(job ?? '')
  if (job === undefined || parts === undefined || kindOf(env) !== kind) return undefined
  const own = ownFacts(env, kind)
  const index = parts.index ?? count(env.PBS_ARRAY_INDEX) ?? count(env.PBS_ARRAYID)
  const lines = (read(env.PBS_NODEFILE ?? '') ?? '').split('\n').filter(line => line !== '')
  const nodeNames = [...new Set(lines)]
  return {
    scheduler: kind,
    id: allocationOf(parts),
    elementId: job,
    index,
    worker: own.worker ?? index ?? 1,
    name: own.name,
    queue: env.PBS_QUEUE,
    nodes: nodeNames.length || (own.nodes ?? 1),
    nodeNames,
    nodeRank: own.nodeRank ?? count(env.PBS_NODENUM),
    // Torque's file has a line for each core.
    cores: count(env.NCPUS) ?? count(env.PBS_NUM_PPN) ?? own.cores,
    memoryBytes: own.memoryBytes,
    gpus: gpusOf(kind, env, read) ?? own.gpus,
    // PBS tells it to nobody inside.
    restarts: 0,
    walltimeSeconds: own.walltimeSeconds,
    startedAtMs: own.startedAtMs,
    scratch: env.TMPDIR,
    runnersAtOnce: own.runnersAtOnce,
  }
}

function kindOf(env: NodeJS.ProcessEnv): PbsKind {
  if (env.HEADRACE_SCHEDULER === 'pbs' || env.HEADRACE_SCHEDULER === 'torque') return env.HEADRACE_SCHEDULER
  return env.PBS_ARRAYID !== undefined || env.PBS_NUM_PPN !== undefined ? 'torque' : 'pbs'
}

function gpusOf(kind: PbsKind, env: NodeJS.ProcessEnv, read: System['read']): number | undefined {
  const file = kind === 'torque' ? env.PBS_GPUFILE : undefined
  const text = file === undefined ? undefined : read(file)
  return text?.split('\n').filter(line => line !== '').length
}
