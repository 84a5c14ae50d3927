import { type Attempt, completionOf, type EndReason } from '../attempt.ts'
import { GATHER_AT_MOST_MS } from '../holding.ts'
import type { Exited } from '../launcher/types.ts'
import type { ClaimedJob, CompletionEntry } from '../wire.ts'

/** All that a completion is made of. */
export type FinaliseTask = { attempt: Attempt; end: Exited; reason: EndReason | undefined }

/** An attempt whose process has ended and whose completion is not made yet. */
export type Ended = FinaliseTask & { job: ClaimedJob }

export type Finalised = { ended: Ended; entry: CompletionEntry }

/** What came of one try to make a completion: a finaliser never throws. */
export type Outcome = { entry: CompletionEntry } | { error: string }

/** Makes the completion of one attempt, at once or elsewhere. Touches nothing of the runner, and neither throws nor rejects. */
export type Execute = (task: FinaliseTask) => Outcome | Promise<Outcome>

/** The outcome of a try that has thrown. */
export const failedTry = (error: unknown): Outcome => ({
  error: error instanceof Error ? error.message : String(error),
})

/** One job thread: the completion is made here and now. */
export const onMainPath =
  (finalise: (task: FinaliseTask) => CompletionEntry) =>
  (task: FinaliseTask): Outcome => {
    try {
      return { entry: finalise(task) }
    } catch (error) {
      return failedTry(error)
    }
  }

/** The attempts between their exits and their completions (requirements.md 4). */
export type Finalisers = {
  /** Takes what has exited together. `tell` hears of the completions in the same order, some of them perhaps later. */
  take(cycle: readonly Ended[], tell: (done: readonly Finalised[]) => void): void
  readonly isEmpty: boolean
  /** Of what has been taken and not been told: their leases go on. */
  claims(): { job_id: number; claim_token: string }[]
  /** Waits for those under way, and tells of them; what was to be tried again is left. */
  close(): Promise<void>
}

export type FinalisersOptions = {
  /** The first step, in order, while the exit is news. */
  prepare?(ended: Ended): Ended
  execute: Execute
  /** The last step, in order: the only one that may change the runner's state. */
  bookkeep?(done: Finalised): void
  /** A try has failed; the job ends with the last one. */
  onFailure?(ended: Ended, error: string, which: 'first' | 'again' | 'last'): void
  /** Ends what executes, when nothing is under way any more. */
  end?(): Promise<void>
  /** For so long the quick ones of a cycle wait for the slow ones: a completion may gather as long. */
  holdMs?: number
  retryMs?: number
}

/** A finaliser that has failed so often running ends its job. */
const TRIES = 5
/** Between two tries: what passes by itself, as a stale handle of a network file system, has passed by then. */
const RETRY_MS = 1_000

/** Prepares in order, executes side by side as far as `execute` does, and keeps the books in order. */
export function createFinalisers(options: FinalisersOptions): Finalisers {
  const { prepare, execute, bookkeep, onFailure, end, holdMs = GATHER_AT_MOST_MS, retryMs = RETRY_MS } = options
  /** Each with the number of tries that have failed. */
  const open = new Map<Ended, number>()
  const underWay = new Set<Promise<void>>()
  const retries = new Set<NodeJS.Timeout>()
  type Tell = Parameters<Finalisers['take']>[1]

  function runCycle(cycle: readonly Ended[], tell: Tell): void {
    const outcomes = new Map<Ended, Outcome>()
    let missing = 0
    let isLate = false
    let hold: NodeJS.Timeout | undefined

    function book(): void {
      const done: Finalised[] = []
      const again: Ended[] = []
      for (const ended of cycle) {
        const outcome = outcomes.get(ended)
        if (outcome === undefined) continue
        outcomes.delete(ended)
        const entry = entryOf(ended, outcome)
        if (entry === undefined) again.push(ended)
        else done.push({ ended, entry })
      }
      for (const one of done) {
        open.delete(one.ended)
        bookkeep?.(one)
      }
      if (done.length > 0) tell(done)
      if (again.length > 0) runAgain(again, tell)
    }

    function bookWhenDue(): void {
      if (missing > 0 && !isLate) return
      clearTimeout(hold)
      book()
    }

    for (const ended of cycle) {
      const outcome = execute(ended)
      if (!(outcome instanceof Promise)) {
        outcomes.set(ended, outcome)
        continue
      }
      missing++
      const waiting: Promise<void> = outcome.then(value => {
        underWay.delete(waiting)
        missing--
        outcomes.set(ended, value)
        bookWhenDue()
      })
      underWay.add(waiting)
    }
    if (missing === 0) {
      book()
      return
    }
    hold = setTimeout(() => {
      isLate = true
      book()
    }, holdMs)
  }

  /** The completion, or undefined when there is to be another try. */
  function entryOf(ended: Ended, outcome: Outcome): CompletionEntry | undefined {
    if ('entry' in outcome) return outcome.entry
    const failures = open.get(ended)! + 1
    open.set(ended, failures)
    if (failures === TRIES) {
      onFailure?.(ended, outcome.error, 'last')
      return givenUp(ended)
    }
    onFailure?.(ended, outcome.error, failures === 1 ? 'first' : 'again')
    return undefined
  }

  function runAgain(cycle: readonly Ended[], tell: Tell): void {
    const retry = setTimeout(() => {
      retries.delete(retry)
      runCycle(cycle, tell)
    }, retryMs)
    retries.add(retry)
  }

  return {
    take(cycle, tell) {
      const prepared = prepare === undefined ? cycle : cycle.map(prepare)
      for (const ended of prepared) open.set(ended, 0)
      runCycle(prepared, tell)
    },
    get isEmpty() {
      return open.size === 0
    },
    claims: () => [...open.keys()].map(({ attempt }) => ({ job_id: attempt.jobId, claim_token: attempt.claimToken })),
    async close() {
      for (const retry of retries) clearTimeout(retry)
      while (underWay.size > 0) await Promise.all(underWay)
      await end?.()
    },
  }
}

/** The completion, of a try that may throw. */
export function completionOrGivenUp(task: FinaliseTask, finalise: () => CompletionEntry): CompletionEntry {
  const outcome = onMainPath(finalise)(task)
  return 'entry' in outcome ? outcome.entry : givenUp(task)
}

/** How a job ends whose completion cannot be made: what the runner itself has ended stays what it was, all else has failed. */
function givenUp({ attempt, end, reason }: FinaliseTask): CompletionEntry {
  const entry = completionOf(attempt, end, { fileTimes: [], missing: [] }, reason)
  if (entry.status === 'canceled' || entry.status === 'terminated') return entry
  const status = attempt.usePendingFailed ? 'pending_failed' : 'failed'
  const returnCode = entry.result.return_code === 0 ? 1 : entry.result.return_code
  return {
    ...entry,
    status,
    failure_class: 'postprocess_error',
    result: { ...entry.result, status, return_code: returnCode },
  }
}
