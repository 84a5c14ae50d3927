import { readLines } from './scripts.ts'
import { type Ran, runOver, type SshOptions } from './ssh.ts'
import type { Worker } from './worker.ts'

/** What became of a worker, as it is shown and printed. */
export type WorkerState = {
  worker: string
  state: 'running' | 'ended' | 'none' | 'failed' | 'unreachable'
  pid?: number
  exit_code?: number
  message?: string
}

/** So many connections at once burden neither this machine nor a gateway. */
const AT_ONCE = 8

/** Does something with every worker, a few at a time; the results are in the order of the workers. */
export async function onEach<T>(workers: readonly Worker[], work: (worker: Worker) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  async function lane(): Promise<void> {
    for (let at = next++; at < workers.length; at = next++) results[at] = await work(workers[at]!)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, workers.length) }, lane))
  return results
}

/** Runs a script of scripts.ts on every worker and reads the states that they print. */
export const askEach = (
  workers: readonly Worker[],
  scriptFor: (worker: Worker) => string,
  options: SshOptions,
  timeoutMs: number,
): Promise<WorkerState[]> =>
  onEach(workers, async worker => stateOf(worker, await runOver(worker, scriptFor(worker), options, timeoutMs)))

const STATES: readonly WorkerState['state'][] = ['running', 'ended', 'none', 'failed']

/** What a script printed as a state; one that did not come to its end has failed. */
function stateOf({ name }: Worker, ran: Ran): WorkerState {
  if (ran.kind === 'unreachable') return { worker: name, state: 'unreachable', message: ran.message }
  const { pid, code, last, message, state: word } = readLines(ran.stdout)
  const state = STATES.find(candidate => candidate === word)
  if (state === undefined) {
    const words = ran.stderr.trim().split('\n').at(-1)
    return { worker: name, state: 'failed', message: words || `the script ended with ${ran.code}` }
  }
  return {
    worker: name,
    state,
    ...(pid !== undefined && { pid: Number(pid) }),
    ...(code !== undefined && { exit_code: Number(code) }),
    ...((message ?? last) !== undefined && { message: message ?? last }),
  }
}
