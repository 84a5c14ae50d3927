import { Hono } from 'hono'
import { countActiveNodes } from '../../db/compute-nodes.ts'
import { isUninitialized, type Progress, type StatusCounts } from '../../db/progress.ts'
import { nextRetryAt } from '../../db/retries.ts'
import { readStatusReport } from '../../db/status-report.ts'
import { countUnservedUnlabeled } from '../../db/unserved.ts'
import type { AppEnv, Services } from '../context.ts'
import { replyUnlessKnown } from '../etag.ts'
import { pathInteger } from '../query.ts'
import { needProgress } from './guards.ts'
import { compact } from './reply.ts'

/** How far a workflow is. Asked by every runner in every round, so all but the full status are answered from counters alone. */
export function workflowProgressRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/status', async c => {
    const id = pathInteger(c, 'id')
    const { progress, report } = await db.read(function* () {
      return { progress: yield* needProgress(id), report: yield* readStatusReport(id, clock()) }
    })
    return c.json(
      compact({
        ...statusRecord(id, progress),
        workflow_id: id,
        workflow_name: progress.name,
        workflow_user: progress.user,
        total_jobs: total(progress.counts),
        jobs_by_status: progress.counts,
        is_complete: isOver(progress),
        ...report,
      }),
    )
  })

  routes.get('/workflows/:id/is_complete', async c => {
    const id = pathInteger(c, 'id')
    const progress = await db.read(() => needProgress(id))
    return c.json({
      is_complete: isOver(progress),
      is_canceled: progress.is_canceled !== 0,
      needs_to_run_completion_script: progress.has_detected_completion_script !== 0,
    })
  })

  routes.get('/workflows/:id/is_uninitialized', async c => {
    const id = pathInteger(c, 'id')
    const { counts } = await db.read(() => needProgress(id))
    return c.json({ is_uninitialized: isUninitialized(counts) })
  })

  // Ours: what a runner or a page asks every second.
  routes.get('/workflows/:id/summary', async c => {
    const id = pathInteger(c, 'id')
    return replyUnlessKnown(c, await db.read(() => readSummary(id, clock())))
  })
  return routes
}

/** How a workflow stands, in the words of the wire. Ends with 404 when there is none. */
export function* readSummary(id: number, now: number) {
  const progress = yield* needProgress(id)
  const unserved = yield* countUnservedUnlabeled(id, progress.counts.ready)
  const nodes = yield* countActiveNodes(id)
  return {
    workflow_id: id,
    name: progress.name,
    run_id: progress.run_id,
    wait_for_new_jobs_seconds: progress.wait_for_new_jobs_seconds,
    active_compute_nodes: nodes,
    total_jobs: total(progress.counts),
    jobs_by_status: progress.counts,
    unserved_unlabeled_jobs: unserved,
    is_complete: isOver(progress),
    is_canceled: progress.is_canceled !== 0,
    next_retry_in_seconds: secondsUntil(yield* nextRetryAt(id), now),
  }
}

export type WorkflowProgress = ReturnType<typeof readSummary> extends Generator<unknown, infer R, never> ? R : never

/** Relative, since the clocks of runners are their own. */
export const secondsUntil = (at: number | undefined, now: number): number | undefined =>
  at === undefined ? undefined : Math.max(0, at - now) / 1000

export const total = (counts: StatusCounts): number => Object.values(counts).reduce((sum, n) => sum + n, 0)

/** Canceled, or no job is left that could still change by itself (contract/notes.md 7.4). */
export function isOver({ is_canceled, counts }: Progress): boolean {
  const open =
    counts.uninitialized + counts.blocked + counts.ready + counts.pending + counts.running + counts.pending_failed
  return is_canceled !== 0 || open === 0
}

type Recorded = Pick<Progress, 'run_id' | 'is_canceled' | 'is_archived' | 'has_detected_completion_script'>

/** The status record of the old contract; its id is that of the workflow. */
export const statusRecord = (id: number, row: Recorded) => ({
  id,
  run_id: row.run_id,
  is_canceled: row.is_canceled !== 0,
  is_archived: row.is_archived !== 0,
  has_detected_need_to_run_completion_script: row.has_detected_completion_script !== 0,
})
