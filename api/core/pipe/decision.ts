import type { Liveness, SubmissionState } from './liveness.ts'
import { missingElements } from './refill.ts'
import { isPipeOver, type PipeState } from './state.ts'

/** One array that was asked for, as far as the decision needs it. */
export type SubmissionFacts = {
  state: SubmissionState
  liveness: Liveness
  /** Elements that the last listing shows as waiting. */
  queued: number
  /** Elements that it shows as running. */
  running: number
  /** When it was decided; epoch milliseconds of the server. */
  decidedAt: number
  /** Whether a runner of it has ever registered. */
  hasRegistered: boolean
}

/** All that is looked at to decide whether more elements are asked for. It is stored with the decision. */
export type PipeSnapshot = {
  now: number
  state: PipeState
  isPaused: boolean
  /** Ready members that nobody has: never claimed before, and all others. */
  claimable: { fresh: number; retried: number }
  /** Runners of the run that were heard within a lease. */
  liveRunners: number
  submissions: readonly SubmissionFacts[]
  graceMs: number
  size: SizeLimits
  /** Where the scheduler keeps no throttle: elements that may be there at once (refill.ts). */
  refilledTo: number | undefined
  /** Somebody asks for it now: a refusal is not waited out. */
  isAsked: boolean
}

export type SizeLimits = {
  /** Most elements of one array. */
  most: number
  /** The site's own limit. */
  arrayMost: number | undefined
  /** Places left under a cap on what is queued. */
  placesLeft: number | undefined
}

/**
 * Why elements are asked for. `retry_round`: only work that was tried before; `allocation_lost`: an allocation ended before its
 * work; `refill`: others are at work, and there may be more of them.
 */
export type SubmitReason = 'first' | 'retry_round' | 'allocation_lost' | 'refill'

export type HoldReason =
  | 'over'
  | 'paused'
  | 'nothing_claimable'
  | 'queued_elements'
  | 'live_runners'
  | 'not_proven_gone'
  | 'grace'
  | 'no_places'

export type PipeDecision =
  | { submit: true; width: number; reason: SubmitReason }
  | { submit: false; because: HoldReason }

/** How many elements an array gets: no more than there is work for, and never the old width again (hpc.md 4). */
export function widthOf(claimable: number, { most, arrayMost, placesLeft }: SizeLimits): number {
  return Math.max(0, Math.min(most, claimable, arrayMost ?? claimable, placesLeft ?? claimable))
}

/**
 * Decides whether an array is submitted now. Only when ready work exists that nobody is there to do, nor will be: no queued element, no
 * live runner, every allocation proven gone, and the grace since the last submission passed. Fresh and retried work count alike: while
 * anything is alive neither triggers, and once all is gone both do. Only where the scheduler keeps no throttle, elements that ended are
 * made up for while others run.
 */
export function decidePipe(snapshot: PipeSnapshot): PipeDecision {
  const because = holdReason(snapshot)
  if (because !== undefined) return { submit: false, because }
  const { fresh, retried } = snapshot.claimable
  const missing = missingOf(snapshot)
  const width = Math.min(widthOf(fresh + retried, snapshot.size), missing || Number.POSITIVE_INFINITY)
  if (width === 0) return { submit: false, because: 'no_places' }
  return { submit: true, width, reason: missing > 0 ? 'refill' : submitReason(snapshot) }
}

const openOf = ({ submissions }: PipeSnapshot): SubmissionFacts[] =>
  submissions.filter(({ state }) => state !== 'refused' && state !== 'gone')

const missingOf = (snapshot: PipeSnapshot): number =>
  missingElements(snapshot.refilledTo, openOf(snapshot), snapshot.liveRunners)

function holdReason(snapshot: PipeSnapshot): HoldReason | undefined {
  const { now, claimable, submissions } = snapshot
  if (isPipeOver(snapshot.state)) return 'over'
  if (snapshot.isPaused) return 'paused'
  if (claimable.fresh + claimable.retried === 0) return 'nothing_claimable'
  const open = openOf(snapshot)
  if (open.some(({ queued }) => queued > 0)) return 'queued_elements'
  if (missingOf(snapshot) === 0) {
    if (snapshot.liveRunners > 0) return 'live_runners'
    // One that was decided and not acknowledged may be at the scheduler all the same; unknown counts as alive.
    if (open.length > 0) return 'not_proven_gone'
  }
  const waitedFor = submissions.filter(({ state }) => !(snapshot.isAsked && state === 'refused'))
  const last = Math.max(Number.NEGATIVE_INFINITY, ...waitedFor.map(({ decidedAt }) => decidedAt))
  return now - last < snapshot.graceMs ? 'grace' : undefined
}

function submitReason({ submissions, claimable }: PipeSnapshot): SubmitReason {
  if (submissions.every(({ state }) => state === 'refused')) return 'first'
  return claimable.fresh > 0 ? 'allocation_lost' : 'retry_round'
}

/** So many refusals in a row, or allocations that ended before a runner of theirs registered, are no bad luck (hpc.md 5.7). */
const REFUSALS_THAT_PAUSE = 10
const STILLBORN_THAT_PAUSE = 3

/** Why no more is asked for until somebody has looked; undefined when nothing speaks against it. `submissions` in their order. */
export function pauseReason(submissions: readonly SubmissionFacts[]): string | undefined {
  const refused = submissions.slice(-REFUSALS_THAT_PAUSE)
  if (refused.length === REFUSALS_THAT_PAUSE && refused.every(({ state }) => state === 'refused'))
    return `the scheduler refused ${REFUSALS_THAT_PAUSE} submissions in a row`
  const last = submissions.filter(({ state }) => state !== 'refused').slice(-STILLBORN_THAT_PAUSE)
  const isStillborn = ({ state, hasRegistered }: SubmissionFacts) => state === 'gone' && !hasRegistered
  if (last.length === STILLBORN_THAT_PAUSE && last.every(isStillborn))
    return `${STILLBORN_THAT_PAUSE} arrays in a row ended before one of their runners had registered`
  return undefined
}
