import type { SubmissionFacts } from './decision.ts'

/**
 * How many elements of a run may be there at once, where the scheduler has no throttle that is safe (hpc.md 2.1): no more are submitted
 * together, and those that end are made up for. undefined: the scheduler keeps the throttle itself, or there is none.
 */
export const refilledTo = (scheduler: string, throttle: number | null | undefined): number | undefined =>
  scheduler === 'htcondor' ? (throttle ?? undefined) : undefined

/**
 * How many elements are missing at such a run; 0 while that is not known for sure: every array has to be acknowledged, seen in a listing,
 * and out of the queue. `liveRunners` may count one that a listing has lost already, so the larger number holds.
 */
export function missingElements(
  most: number | undefined,
  submissions: readonly SubmissionFacts[],
  liveRunners: number,
): number {
  if (most === undefined) return 0
  const isSeen = ({ state, liveness, queued, running }: SubmissionFacts) =>
    state === 'submitted' && liveness === 'alive' && queued === 0 && running > 0
  if (submissions.length === 0 || !submissions.every(isSeen)) return 0
  const running = submissions.reduce((sum, one) => sum + one.running, 0)
  return Math.max(0, most - Math.max(running, liveRunners))
}
