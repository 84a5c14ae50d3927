import { Hono } from 'hono'
import { hasComputeNode } from '../../db/compute-nodes.ts'
import { recordEvent } from '../../db/events.ts'
import { refuseInitializing } from '../../db/initializing.ts'
import { forceStatus, retryJob, startJob } from '../../db/job-status.ts'
import type { JobRow } from '../../db/jobs.ts'
import type { Unit } from '../../db/unit.ts'
import type { WorkflowRow } from '../../db/workflows.ts'
import type { AppEnv, Services } from '../context.ts'
import { canMove, isComplete, type JobStatus, statusWord } from '../core/status.ts'
import { AppError, EarlyRefusal } from '../errors.ts'
import { pathInteger, pathStatus, readQuery } from '../query.ts'
import { needJob, needWorkflow } from './guards.ts'
import { jobReply, needJobReply } from './job-reply.ts'

/** The named operations that move one job; completions stand in completions.ts. */
export function jobStatusRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.put('/jobs/:id/start_job/:run_id/:compute_node_id', async c => {
    const id = pathInteger(c, 'id')
    const runId = pathInteger(c, 'run_id')
    const nodeId = pathInteger(c, 'compute_node_id')
    const { claim_token } = readQuery(c, { claim_token: 'text' })
    const row = await db.write(function* () {
      const { job, workflow } = yield* needJobOfRun(id, runId)
      refuseMove('start', job, 'running')
      if (!(yield* hasComputeNode(workflow.id, nodeId))) {
        throw new AppError('invalid', `Cannot start job ${id} as the workflow has no compute node ${nodeId}`, {
          field: 'compute_node_id',
        })
      }
      const names = { workflowId: workflow.id, runId: workflow.run_id, jobId: id }
      if (!(yield* startJob(names, nodeId, claim_token, clock()))) {
        throw new AppError('lost_claim', `The claim on job_id=${id} is no longer held by this runner`)
      }
      return yield* needJobReply(id)
    })
    return c.json(row)
  })

  routes.put('/jobs/:id/manage_status_change/:status/:run_id', async c => {
    const id = pathInteger(c, 'id')
    const target = pathStatus(c, 'status')
    const runId = pathInteger(c, 'run_id')
    if (isComplete(target))
      throw new EarlyRefusal(
        'illegal_status',
        `Cannot change the status of job ${id} to ${target}: only a completion can`,
      )
    const row = await db.write(function* () {
      const before = yield* needJob(id)
      const from = statusWord(before.status)
      if (from === target) return jobReply(before)
      yield* needJobOfRun(id, runId)
      yield* forceStatus(id, target, isComplete(from), clock())
      return yield* needJobReply(id)
    })
    return c.json(row)
  })

  routes.post('/jobs/:id/retry/:run_id', async c => {
    const id = pathInteger(c, 'id')
    const runId = pathInteger(c, 'run_id')
    const { max_retries } = readQuery(c, { max_retries: 'integer!' })
    const row = await db.write(function* () {
      const { job, workflow } = yield* needJobOfRun(id, runId)
      refuseMove('retry', job, 'ready')
      // Attempts that ended with their node are not the job's own failures (contract/notes.md 18).
      if (job.attempt_id - job.losses >= max_retries) {
        throw new AppError(
          'invalid',
          `Cannot retry job ${id} as its attempts are spent: attempt ${job.attempt_id}, max_retries ${max_retries}`,
        )
      }
      const now = clock()
      yield* retryJob(id, now)
      yield* recordEvent(workflow.id, now, {
        category: 'job',
        severity: 'info',
        event_type: 'job_retried',
        job_id: id,
        job_name: job.name,
        previous_attempt: job.attempt_id,
        new_attempt: job.attempt_id + 1,
        run_id: runId,
        message: `Retrying job ${id}: attempt ${job.attempt_id + 1}`,
      })
      return yield* needJobReply(id)
    })
    return c.json(row)
  })
  return routes
}

/** The job and its workflow; 422 when the caller speaks of another run than the current one. */
function* needJobOfRun(id: number, runId: number): Unit<{ job: JobRow; workflow: WorkflowRow }> {
  const job = yield* needJob(id)
  const workflow = yield* needWorkflow(job.workflow_id)
  if (workflow.run_id === runId) {
    yield* refuseInitializing(workflow.id)
    return { job, workflow }
  }
  throw new AppError(
    'stale_run',
    `Run ID mismatch: the request says ${runId}, workflow ${workflow.id} is at ${workflow.run_id}`,
  )
}

function refuseMove(move: 'start' | 'retry', job: JobRow, target: JobStatus): void {
  const from = statusWord(job.status)
  if (canMove(move, from, target)) return
  throw new AppError(
    'illegal_status',
    `Cannot ${move} job ${job.id} as its status cannot change from ${from} to ${target}`,
  )
}
