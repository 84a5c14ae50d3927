import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { runnerPath } from './headrace.ts'
import { start, succeeded } from './process.ts'
import { childrenOf, memoryMb } from './process-facts.ts'
import type { Setting } from './types.ts'
import { waitUntil } from './wait-until.ts'

export type LentNodeProcess = {
  /** What clients need to find it. */
  env: NodeJS.ProcessEnv
  /** The resident part and what it has started. */
  pids(): number[]
  /** All of them together. */
  memoryMb(): number
  /** Ends it, so that its records are whole. */
  stop(): Promise<void>
}

export const nodeRecordsPath = (directory: string): string =>
  join(directory, `headrace_output/runner/${hostname()}/exec.jsonl`)

/** Lends a node of so many cores by `runner node` while `work` goes on. Throws when it cannot start or does not end well. */
export async function withLentNode<T>(
  setting: Setting,
  directory: string,
  { launcher, cpus }: { launcher: string; cpus: number },
  work: (node: LentNodeProcess) => Promise<T>,
): Promise<T> {
  const socket = join(directory, 'node.sock')
  const env = { HEADRACE_NODE_SOCKET: socket, HEADRACE_LAUNCHER: launcher }
  const words = [runnerPath(setting), 'node', '--num-cpus', String(cpus), '--overcommit']
  const { pid, child, ended } = start(process.execPath, words, { cwd: directory, env })
  const pids = (): number[] => [pid, ...childrenOf(pid)]
  try {
    const ready = launcher === 'native' ? socket : `${socket}.pid`
    await waitUntil('the socket of the node', () => existsSync(ready) || child.exitCode !== null || undefined)
    return await work({
      env,
      pids,
      memoryMb: () => pids().reduce((sum, one) => sum + memoryMb(one), 0),
      async stop() {
        child.kill('SIGTERM')
        succeeded('runner node', await ended)
      },
    })
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
