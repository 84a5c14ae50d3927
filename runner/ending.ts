import type { WorkflowSummary } from './wire.ts'

/**
 * Why the loop ended. `no_room`: what is left cannot run here, and nobody else is there to do it. `idle`: nothing came for this runner in
 * the time it waits for new work. `offline`: the control plane stayed away; the journal keeps what it was not told.
 */
export type LoopEnd = 'complete' | 'canceled' | 'drained' | 'no_room' | 'idle' | 'offline' | 'launcher_lost'

/** What a runner without work knows when it asks itself whether to go on. */
export type Outlook = {
  summary: WorkflowSummary
  /** It takes nothing new any more. */
  isLeaving: boolean
  /** For how long nothing has ended or begun here. */
  idleMs: number
  /** How long to stay without work, if somebody has said so. */
  idleExitMs: number | undefined
  /** It serves whatever comes, so that there is always something that may still come. */
  stays: boolean
  /** What does not fit beside local launches may fit when they end. */
  nodeIsShared: boolean
}

/** Whether that is the end; if not, after how many milliseconds to ask again, unless a claim that finds nothing comes first. */
export type Decision = { end: LoopEnd } | { end: undefined; againInMs: number }

const GO_ON: Decision = { end: undefined, againInMs: Number.POSITIVE_INFINITY }
/** Nobody tells when local launches end. */
const SHARED_AGAIN_MS = 30_000

/** Decides whether anything is left to do here, for a runner that holds nothing and whose last claim got nothing. */
export function decideEnd({ summary, isLeaving, idleMs, idleExitMs, stays, nodeIsShared }: Outlook): Decision {
  if (summary.is_canceled) return { end: 'canceled' }
  if (summary.is_complete && !stays) return { end: 'complete' }
  if (isLeaving) return { end: 'drained' }
  if (nodeIsShared) return { end: undefined, againInMs: SHARED_AGAIN_MS }
  if (summary.next_retry_in_seconds !== undefined) return GO_ON
  if (stays) return endAfter('idle', idleExitMs ?? Number.POSITIVE_INFINITY, idleMs)
  if (!othersWork(summary)) return endAfter('no_room', idleExitMs ?? 0, idleMs)
  return endAfter('idle', idleExitMs ?? summary.wait_for_new_jobs_seconds * 1000, idleMs)
}

const endAfter = (end: LoopEnd, patienceMs: number, idleMs: number): Decision =>
  idleMs >= patienceMs ? { end } : { end: undefined, againInMs: patienceMs - idleMs }

/** Somebody else runs jobs of the workflow, or could run what does not fit here. */
const othersWork = ({ jobs_by_status: counts, active_compute_nodes: nodes }: WorkflowSummary): boolean =>
  (counts.pending ?? 0) + (counts.running ?? 0) > 0 || ((counts.ready ?? 0) > 0 && nodes > 1)
