import type { AllocationState } from '../../api/core/allocation-states.ts'
import type { ListedElement, Listing } from '../schedulers/types.ts'
import { countElements, elementsOf, verdictOf } from '../schedulers/verdict.ts'
import type { WireRecent } from './wire.ts'

/** A request as the listing of the scheduler shows it now. */
export type Judged = {
  row: WireRecent
  state: AllocationState
  queued: number
  /** Elements that run, or may: what nobody can tell counts as there. */
  starting: number
  /** Queued elements with an index of their own, for cancelling some of them. */
  indices: readonly number[]
  /** Why it will never start by itself, in the scheduler's words. */
  stuck: string | undefined
}

/** A submission that left no trace in a good listing was lost after this long: a frozen scheduler may still take it (hpc.md 1.4). */
const LOST_AFTER_MS = 120_000

/**
 * Says what has become of a request. Only proof changes anything: while the scheduler gives no good listing, all stays as it was
 * noted, and elements without a runner are taken to be on their way.
 */
export function judge(row: WireRecent, listing: Listing): Judged {
  const id = row.scheduler_id ?? adoptable(row, listing)
  if (id === undefined) {
    const isLost = listing.kind === 'listed' && listing.startedAtMs - row.created_at >= LOST_AFTER_MS
    const state = isLost ? 'refused' : row.state
    return { row, state, queued: 0, starting: isLost ? 0 : row.width, indices: [], stuck: undefined }
  }
  const known = { ...row, scheduler_id: id }
  const verdict = verdictOf(listing, { id, acknowledgedAtMs: row.submitted_at ?? row.created_at })
  const { queued, running } = countElements(listing, id)
  const waiting = elementsOf(listing, id).filter(element => element.state === 'queued')
  switch (verdict) {
    case 'gone': {
      // What was cancelled for want of work before it ran is no failure of anybody.
      const wasCanceled = row.unneeded_since !== undefined && row.registered_runners === 0
      return {
        row: known,
        state: wasCanceled ? 'canceled' : 'ended',
        queued: 0,
        starting: 0,
        indices: [],
        stuck: undefined,
      }
    }
    case 'unknown': {
      const state = row.state === 'submitting' ? 'queued' : row.state
      const withoutRunner = Math.max(0, row.width - row.registered_runners)
      return { row: known, state, queued: 0, starting: withoutRunner, indices: [], stuck: undefined }
    }
    default:
      return {
        row: known,
        state: verdict,
        queued,
        starting: Math.max(0, running - row.active_runners),
        indices: waiting.flatMap(({ index }) => index ?? []),
        stuck: running === 0 ? reasonOf(waiting.find(({ stuck }) => stuck)) : undefined,
      }
  }
}

const reasonOf = (element: ListedElement | undefined): string | undefined =>
  element && `${element.word}${element.reason === undefined ? '' : `: ${element.reason}`}`

/** The id of a submission whose answer nobody heard: its name is ours alone. */
function adoptable(row: Pick<WireRecent, 'name'>, listing: Listing): string | undefined {
  if (listing.kind !== 'listed') return undefined
  return listing.elements.find(element => element.name === row.name)?.allocation
}
