import type { Capacity } from './capacity/ledger.ts'
import type { Failures } from './failure/failures.ts'
import {
  createFinalisers,
  type Ended,
  type Execute,
  type Finalised,
  type Finalisers,
  type FinalisersOptions,
  onMainPath,
} from './job-threads/finalisers.ts'

export type RunFinalisersOptions = {
  jobThreads: number
  failures: Failures
  capacity: Pick<Capacity, 'cores'>
  /** Puts the wished faults in the way. */
  disturb(execute: Execute): Execute
  /** What is known of an end beyond what its process tells. */
  endOf?(ended: Ended): Ended
  onExit(ended: Ended): void
  bookkeep(done: Finalised): void
  note(line: string): void
}

/** The finalisers of a run: one thread is the main path itself; more are loaded only when they are asked for. */
export async function openRunFinalisers(options: RunFinalisersOptions): Promise<Finalisers> {
  const { jobThreads, failures, capacity, disturb, endOf = ended => ended, onExit, bookkeep, note } = options
  const here = onMainPath(({ attempt, end, reason }) => failures.finalise(attempt, end, reason))
  const shared = { onFailure: failureNotes(note), bookkeep, prepare: prepareWith(failures, endOf, onExit) }
  if (jobThreads === 1) return createFinalisers({ ...shared, execute: disturb(here) })
  const { openJobThreads, threadsBeyondNode } = await import('./job-threads/open.ts')
  const warning = threadsBeyondNode(jobThreads, capacity.cores.length)
  if (warning !== undefined) note(warning)
  const threads = openJobThreads(jobThreads, here)
  const execute = disturb(({ attempt, end, reason }) => threads.run({ attempt, end, reason }))
  return createFinalisers({ ...shared, execute, end: () => threads.close() })
}

const prepareWith =
  (failures: Failures, endOf: (ended: Ended) => Ended, onExit: (ended: Ended) => void) =>
  (exited: Ended): Ended => {
    onExit(exited)
    const ended = endOf(exited)
    return { ...ended, reason: failures.reasonOf(ended.end, ended.reason) }
  }

/** The first failure and the last are worth a line each. */
const failureNotes =
  (note: (line: string) => void): FinalisersOptions['onFailure'] =>
  ({ attempt }, error, which) => {
    const { jobId } = attempt
    if (which === 'first') note(`The completion of job ${jobId} could not be made and is tried again: ${error}`)
    if (which === 'last')
      note(`Job ${jobId} ends as postprocess_error: its completion could not be made time after time: ${error}`)
  }
