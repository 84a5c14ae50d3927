import { setTimeout as sleep } from 'node:timers/promises'
import { ControlPlaneError, must } from '../client/must.ts'
import { cannotRun } from '../command-line/error.ts'
import type { WorkflowSummary } from '../wire.ts'
import { type PipeReport, type ReconcileContext, reconcilePipeRuns } from './reconcile.ts'
import { renderProgress } from './render.ts'
import type { PipeRun } from './wire.ts'

export type Following = {
  context: ReconcileContext
  workflowId: number
  everyMs: number
  /** Stages what is ready by now and has no run; undefined when that is nobody's wish, or nothing is there. */
  stageNext?(): Promise<PipeRun | undefined>
  /** Ctrl-C: the arrays go on without us. */
  signal: AbortSignal
}

/** How the following of some runs ended. `stuck`: nothing will happen before somebody does something. `left`: the arrays go on without us. */
export type Followed = { kind: 'over' | 'stuck' | 'left'; runs: PipeRun[] }

/** A control plane that is restarted, or away for a moment, is waited for this many looks. */
const PATIENCE = 20

/**
 * Looks after runs until they are over, or until only somebody's word can help them. Throws when the scheduler refused the first submission
 * of one, and when the control plane stays away.
 */
export async function follow(ids: number[], following: Following): Promise<Followed> {
  const { context, everyMs, signal } = following
  const shown = new Map<number, string>()
  let failures = 0
  for (let isFirst = true; ; isFirst = false) {
    try {
      const followed = await lookOnce(ids, following, shown, isFirst)
      if (followed.kind !== 'left' || signal.aborted) return followed
      failures = 0
    } catch (error) {
      if (!(error instanceof ControlPlaneError) || isFirst || ++failures > PATIENCE) throw error
      context.note(error.message)
    }
    await sleep(everyMs, undefined, { signal }).catch(() => {})
  }
}

/** One look; `left` while there is more to come. */
async function lookOnce(
  ids: number[],
  following: Following,
  shown: Map<number, string>,
  asked: boolean,
): Promise<Followed> {
  const { context, workflowId, stageNext } = following
  const reports = await reconcilePipeRuns(context, workflowId, { only: ids, asked })
  for (const report of reports) {
    refuse(report)
    tell(report.run, shown, context)
  }
  const runs = reports.map(report => report.run)
  const next = await stageNext?.()
  if (next !== undefined) {
    ids.push(next.id)
    return lookOnce(ids, following, shown, asked)
  }
  const isOver = runs.every(run => run.is_over)
  if (isOver && stageNext === undefined) return { kind: 'over', runs }
  if (!runs.every(run => run.is_over || isStuck(run)) || (await mayGetReady(context, workflowId)))
    return { kind: 'left', runs }
  return { kind: isOver ? 'over' : 'stuck', runs }
}

/** Nothing was submitted: whoever asked is told so, and the run stays staged (S36). */
function refuse({ run, submitted }: PipeReport): void {
  if (submitted?.kind !== 'refused' || run.submissions.some(({ state }) => state === 'submitted' || state === 'gone'))
    return
  throw cannotRun(
    `Cannot submit pipe run ${run.id} as ${run.scheduler} refused: ${submitted.message}; it stays staged: \`runner pipe submit ${run.id}\` tries again`,
  )
}

function tell(run: PipeRun, shown: Map<number, string>, { note }: ReconcileContext): void {
  const line = renderProgress(run)
  if (shown.get(run.id) !== line) note(line)
  shown.set(run.id, line)
}

/** Nothing of the run is at work or will be: what is left waits for somebody. */
function isStuck(run: PipeRun): boolean {
  if (run.paused_reason !== undefined || run.unreadable.length > 0) return true
  if (run.are_members_over) return run.post_state === 'running'
  const { fresh, retried } = run.claimable
  const { pending, running } = run.members.by_status
  const isAtScheduler = run.submissions.some(({ state }) => state === 'intended' || state === 'submitted')
  const willBe = fresh + retried + pending + running > 0 || run.next_retry_in_seconds !== undefined
  return !isAtScheduler && !willBe && run.live_runners === 0
}

/** Jobs run, or are about to, on which others may wait. */
async function mayGetReady({ client }: ReconcileContext, workflowId: number): Promise<boolean> {
  const summary = await must(client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
  const { pending = 0, running = 0 } = summary.jobs_by_status
  return pending + running > 0 || summary.next_retry_in_seconds !== undefined
}
