import { Hono } from 'hono'
import { recordEvent, recordUserAction } from '../../db/events.ts'
import { isInitializing, refuseInitializing } from '../../db/initializing.ts'
import { listChangedJobs } from '../../db/input-hashes.ts'
import { cancelClaimedJobs, resetJobs } from '../../db/job-status.ts'
import type { Progress } from '../../db/progress.ts'
import { resetJobStatus } from '../../db/reset-job-status.ts'
import { countActiveAllocations } from '../../db/scheduled-compute-nodes.ts'
import { workflow } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { ArchiveRequest, WorkflowStatusChange } from '../contract/workflow.ts'
import { type Dialect, dialectOf } from '../dialect.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needProgress, needWorkflow } from './guards.ts'
import { statusRecord } from './workflow-progress.ts'
import { workflowReply, workflowWithScriptFlag } from './workflow-reply.ts'

/** The operations that stop a workflow, put it away, or start it over. */
export function workflowStatusRoutes({ db, clock, dialect: option }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const dialect = (c: AppRequest): Dialect => dialectOf(name => c.req.header(name), option)

  routes.put('/workflows/:id/status', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, WorkflowStatusChange)
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      // All four are replaced: what is left out becomes false (contract/notes.md 7.2).
      return yield* updateRow(workflow, id, {
        run_id: body.run_id,
        is_canceled: Number(body.is_canceled),
        is_archived: Number(body.is_archived ?? false),
        has_detected_completion_script: Number(body.has_detected_need_to_run_completion_script ?? false),
      })
    })
    return c.json(statusRecord(id, row))
  })

  routes.put('/workflows/:id/cancel', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      const before = yield* needWorkflow(id)
      if (before.is_canceled !== 0) return before
      const now = clock()
      // First the flag: jobs that end by it must not set off actions.
      const after = yield* updateRow(workflow, id, { is_canceled: 1 })
      // What is being counted anew becomes ready and is not handed out: nobody has to wait for the count to cancel.
      if (!(yield* isInitializing(id))) yield* cancelClaimedJobs(id, now)
      yield* recordEvent(id, now, {
        category: 'workflow_canceled',
        severity: 'warning',
        message: `Canceled workflow ${id}`,
        workflow_id: id,
        run_id: before.run_id,
      })
      return after
    })
    return c.json(workflowWithScriptFlag(row, dialect(c)))
  })

  routes.post('/workflows/:id/archive', async c => {
    const id = pathInteger(c, 'id')
    const { is_archived } = await readBody(c, ArchiveRequest)
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      yield* recordUserAction(id, clock(), c.var.user, 'archive_workflow', { is_archived })
      return yield* updateRow(workflow, id, { is_archived: Number(is_archived) })
    })
    return c.json(workflowReply(row, dialect(c)))
  })

  routes.post('/workflows/:id/reset_status', async c => {
    const id = pathInteger(c, 'id')
    const { force = false } = readQuery(c, { force: 'boolean' })
    const { resetRaisesRunId } = dialect(c)
    const row = await db.write(function* () {
      const before = yield* needWorkflow(id)
      if (before.is_archived !== 0) throw new AppError('invalid', `Cannot reset archived workflow ${id}`)
      if (!force) {
        refuseActiveJobs(yield* needProgress(id))
        const allocations = yield* countActiveAllocations(id)
        if (allocations.pending + allocations.active > 0) {
          throw new AppError(
            'invalid',
            'Cannot reset the workflow as scheduled compute nodes are pending or active: use force',
          )
        }
      }
      yield* recordUserAction(id, clock(), c.var.user, 'reset_workflow_status', { force })
      return yield* updateRow(workflow, id, {
        is_canceled: 0,
        is_archived: 0,
        has_detected_completion_script: 0,
        run_id: before.run_id + Number(resetRaisesRunId),
      })
    })
    return c.json(workflowWithScriptFlag(row, dialect(c)))
  })

  routes.post('/workflows/:id/reset_job_status', async c => {
    const id = pathInteger(c, 'id')
    const { failed_only = false } = readQuery(c, { failed_only: 'boolean' })
    await db.read(() => needWorkflow(id))
    const updated_count = await resetJobStatus(db, id, { failedOnly: failed_only, now: clock(), user: c.var.user })
    return c.json({
      workflow_id: id,
      updated_count,
      status: 'uninitialized',
      ...(failed_only ? { reset_type: 'failed_only' } : {}),
    })
  })

  routes.post('/workflows/:id/process_changed_job_inputs', async c => {
    const id = pathInteger(c, 'id')
    const { dry_run = false } = readQuery(c, { dry_run: 'boolean' })
    const names = await db.write(function* () {
      yield* needWorkflow(id)
      yield* refuseInitializing(id)
      const changed = yield* listChangedJobs(id)
      const reinitialized_jobs = changed.map(job => job.name)
      if (dry_run) return reinitialized_jobs
      yield* resetJobs(changed.map(job => job.id))
      yield* recordUserAction(id, clock(), c.var.user, 'process_changed_job_inputs', {
        reinitialized_count: changed.length,
        reinitialized_jobs,
      })
      return reinitialized_jobs
    })
    return c.json({ reinitialized_jobs: names })
  })

  return routes
}

function refuseActiveJobs({ counts }: Progress): void {
  if (counts.pending + counts.running === 0) return
  throw new AppError(
    'invalid',
    `Cannot reset the workflow as jobs are claimed: ${counts.running} running, ${counts.pending} pending; use force`,
  )
}
