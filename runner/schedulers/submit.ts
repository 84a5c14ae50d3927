import type { AllocationRequest, Scheduler, SubmitOutcome } from './types.ts'

type OnceOptions = {
  /**
   * When this name was first handed to the scheduler, if it ever was: stored before each submission, so that a restart between deciding,
   * submitting and recording neither doubles nor forgets an array. undefined: never.
   */
  attemptedAtMs: number | undefined
  clock: () => number
}

/** A scheduler that was frozen may take a submission long after its client gave up; only then is a name that is not listed one that was lost. */
export const LOST_AFTER_MS = 120_000

/**
 * Submits a name at most once, though a submission is at-least-once by nature: a name that was tried before is looked up first, adopted
 * when the scheduler has it, and submitted again only when a good listing lacks it and the grace has passed. Until then the outcome
 * stays unknown.
 */
export async function submitOnce(
  scheduler: Scheduler,
  request: AllocationRequest,
  { attemptedAtMs, clock }: OnceOptions,
): Promise<SubmitOutcome> {
  if (attemptedAtMs === undefined) return scheduler.submit(request)
  const listing = await scheduler.list({ ids: [], names: [request.name] })
  if (listing.kind === 'unknown') {
    return { kind: 'unknown', message: `Cannot tell whether ${request.name} was submitted as ${listing.message}` }
  }
  const known = listing.elements.find(element => element.name === request.name)
  if (known !== undefined) return { kind: 'submitted', id: known.allocation, acknowledgedAtMs: clock() }
  const waitedMs = listing.startedAtMs - attemptedAtMs
  if (waitedMs < LOST_AFTER_MS) {
    const left = Math.ceil((LOST_AFTER_MS - waitedMs) / 1000)
    return {
      kind: 'unknown',
      message: `Cannot tell whether ${request.name} was submitted: it is not listed, and may still be for ${left} s`,
    }
  }
  return scheduler.submit(request)
}
