import type { Listing, Scheduler } from '../schedulers/types.ts'
import { countElements, verdictOf } from '../schedulers/verdict.ts'
import type { PipeRun, PipeSubmission } from './wire.ts'

/** The body of an observation, in the wire's words. */
export type Observation = {
  listing_age_ms: number
  submissions: { id: number; verdict: string; queued: number; running: number }[]
}

const isOpen = ({ state }: PipeSubmission): boolean => state === 'intended' || state === 'submitted'

/** One listing for everything that these runs have at a scheduler. */
export function listFor(scheduler: Scheduler, runs: readonly PipeRun[]): Promise<Listing> {
  const open = runs.flatMap(run => run.submissions.filter(isOpen))
  const ids = open.flatMap(({ scheduler_id }) => scheduler_id ?? [])
  const names = open.filter(({ scheduler_id }) => scheduler_id === undefined).map(({ name }) => name)
  return scheduler.list({ ids, names })
}

/** Submissions whose answer was never recorded. */
export const unansweredOf = (run: PipeRun): PipeSubmission[] =>
  run.submissions.filter(({ state }) => state === 'intended')

/**
 * What a listing says of the submissions of one run. Whether it is new enough to prove anything is the control plane's to judge, which
 * knows when each was acknowledged.
 */
export function observationOf(run: PipeRun, listing: Listing, now: number): Observation {
  const known = run.submissions.filter(one => isOpen(one) && one.scheduler_id !== undefined)
  return {
    listing_age_ms: Math.max(0, now - listing.startedAtMs),
    submissions: known.map(({ id, scheduler_id }) => ({
      id,
      verdict: verdictOf(listing, { id: scheduler_id!, acknowledgedAtMs: Number.NEGATIVE_INFINITY }),
      ...countElements(listing, scheduler_id!),
    })),
  }
}
