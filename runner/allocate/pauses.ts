import type { Judged } from './judge.ts'
import { usableSeconds } from './walltimes.ts'
import type { WireDemand, WirePause, WirePlan, WireRecent } from './wire.ts'

/** So many in a row, and asking again would only burden the scheduler. */
const REFUSED_MOST = 10
const START_FAILURES_MOST = 3
const IDLE_MOST = 5

/** How often a queue has refused since it last took something; submissions nobody knows the outcome of count for nothing. */
export function refusedInRow(rows: readonly WireRecent[], queue: string): number {
  return inRow(rows, queue, row => row.state === 'refused')
}

/** An allocation that ended and that no runner was ever heard of from. */
const failedToStart = (row: WireRecent): boolean => row.state === 'ended' && row.registered_runners === 0

/** A runner looks for work this long besides the time after which it leaves: it starts and ends, and the queue is looked at now and then. */
const AROUND_IDLE_SECONDS = 120

/**
 * Its runners left for want of work while jobs that fit it were ready before it began and still are: something keeps them apart that the
 * planner does not know, and node hours would be spent for ever.
 */
function tookNothing(row: WireRecent, groups: WireDemand['groups'], idleExitSeconds: number): boolean {
  const startedAt = row.started_at ?? row.submitted_at
  if (row.state !== 'ended' || row.registered_runners === 0 || startedAt === undefined) return false
  if (row.ended_at !== undefined && row.ended_at - startedAt > (idleExitSeconds + AROUND_IDLE_SECONDS) * 1000)
    return false
  return groups.some(
    group =>
      group.ready_since <= startedAt &&
      group.cpus <= row.cores &&
      group.memory_bytes <= row.memory_bytes &&
      group.gpus <= row.gpus &&
      group.nodes <= row.nodes &&
      group.runtime_seconds <= usableSeconds(row.walltime_seconds),
  )
}

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

/** What tells whether asking a queue again is of any use. */
export type Evidence = {
  /** Requests of the plan that are open, and its last ones that are not; the oldest first. */
  rows: readonly WireRecent[]
  /** The open ones as the scheduler shows them. */
  judged: readonly Judged[]
  groups: WireDemand['groups']
  idleExitSeconds: number
  pendLimitSeconds: number
  nowMs: number
}

/**
 * Finds queues that should not be asked any more until somebody has looked: they refuse everything, what they start never registers or
 * takes none of the jobs it was asked for, or they hold a request that can never start.
 */
export function newPauses(plan: WirePlan, evidence: Evidence): Record<string, WirePause> {
  // What happened before the plan was resumed has been looked at.
  const rows = evidence.rows.filter(row => row.created_at >= plan.since)
  const queues = [...new Set(rows.map(row => row.queue))].filter(queue => plan.pauses[queue] === undefined)
  const found: Record<string, WirePause> = {}
  for (const queue of queues) {
    const pause = pauseOf(queue, { ...evidence, rows })
    if (pause !== undefined) found[queue] = { ...pause, since: evidence.nowMs }
  }
  return found
}

function pauseOf(
  queue: string,
  { rows, judged, groups, idleExitSeconds, pendLimitSeconds, nowMs }: Evidence,
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
  const idle = inRow(rows, queue, row => tookNothing(row, groups, idleExitSeconds))
  if (idle >= IDLE_MOST) {
    const last = rows.findLast(row => row.queue === queue && row.state === 'ended')!
    return {
      reason: `${idle} allocations in a row ended soon although jobs were ready that fit them: their runners say why`,
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
