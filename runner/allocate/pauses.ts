import type { Judged } from './judge.ts'
import type { WirePause, WirePlan, WireRecent } from './wire.ts'

/** So many in a row, and asking again would only burden the scheduler. */
const REFUSED_MOST = 10
const START_FAILURES_MOST = 3

/** How often a queue has refused since it last took something; submissions nobody knows the outcome of count for nothing. */
export function refusedInRow(rows: readonly WireRecent[], queue: string): number {
  return inRow(rows, queue, row => row.state === 'refused')
}

/** An allocation that ended and that no runner was ever heard of from. */
const failedToStart = (row: WireRecent): boolean => row.state === 'ended' && row.registered_runners === 0

/** How many of the newest decided requests of a queue are alike. The oldest come first in `rows`. */
function inRow(rows: readonly WireRecent[], queue: string, isOne: (row: WireRecent) => boolean): number {
  let count = 0
  for (const row of [...rows].reverse()) {
    if (row.queue !== queue || row.state === 'submitting' || row.state === 'canceled') continue
    if (!isOne(row)) break
    count++
  }
  return count
}

/**
 * Finds queues that should not be asked any more until somebody has looked: they refuse everything, what they start never registers, or
 * they hold a request that can never start. `judged` are the open requests.
 */
export function newPauses(
  plan: WirePlan,
  rows: readonly WireRecent[],
  judged: readonly Judged[],
  pendLimitSeconds: number,
  nowMs: number,
): Record<string, WirePause> {
  // What happened before the plan was resumed has been looked at.
  const since = rows.filter(row => row.created_at >= plan.since)
  const queues = [...new Set(since.map(row => row.queue))].filter(queue => plan.pauses[queue] === undefined)
  const found: Record<string, WirePause> = {}
  for (const queue of queues) {
    const pause = pauseOf(queue, since, judged, pendLimitSeconds, nowMs)
    if (pause !== undefined) found[queue] = { ...pause, since: nowMs }
  }
  return found
}

function pauseOf(
  queue: string,
  rows: readonly WireRecent[],
  judged: readonly Judged[],
  pendLimitSeconds: number,
  nowMs: number,
): Omit<WirePause, 'since'> | undefined {
  const refused = refusedInRow(rows, queue)
  if (refused >= REFUSED_MOST) {
    const last = rows.findLast(row => row.queue === queue && row.state === 'refused')!
    return { reason: `${refused} submissions in a row were refused`, message: last.message, script: scriptOf(last) }
  }
  const failed = inRow(rows, queue, failedToStart)
  if (failed >= START_FAILURES_MOST) {
    const last = rows.findLast(row => row.queue === queue && failedToStart(row))!
    return {
      reason: `${failed} allocations in a row ended without a runner that registered`,
      message: last.message,
      script: scriptOf(last),
      log: last.directory,
    }
  }
  const stuck = judged.find(
    one => one.row.queue === queue && one.stuck !== undefined && nowMs - one.row.created_at >= pendLimitSeconds * 1000,
  )
  if (stuck === undefined) return undefined
  return {
    reason: `allocation ${stuck.row.scheduler_id} can never start`,
    message: stuck.stuck,
    script: scriptOf(stuck.row),
  }
}

const scriptOf = ({ directory, name }: WireRecent): string => `${directory}/${name}.sh`
