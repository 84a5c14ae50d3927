import { Hono } from 'hono'
import type * as v from 'valibot'
import { listAttempts } from '../../db/attempts.ts'
import { completeJobs } from '../../db/completions.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { retryJob } from '../../db/job-status.ts'
import { limitTime, updateJob } from '../../db/job-update.ts'
import type { JobRow } from '../../db/jobs.ts'
import { recordRecovery } from '../../db/retries.ts'
import { resourceRequirements } from '../../db/schema.ts'
import { run, type Unit } from '../../db/unit.ts'
import { readBody, readOptionalBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { putBackSchema, recoverySchema } from '../contract/ejected-job.ts'
import { type JobStatus, statusWord } from '../core/status.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { needJob, needRow, needWorkflow } from './guards.ts'
import { needJobReply } from './job-reply.ts'
import { compact } from './reply.ts'

/** Statuses in which a job waits for its owner, or has failed for good. */
const ENDED_BADLY: ReadonlySet<JobStatus> = new Set(['pending_failed', 'failed', 'terminated'])

/** What becomes of a job after an attempt that failed: its owner puts it back or gives it up, and its history tells why (requirements.md 3). */
export function ejectedJobRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/jobs/:id/attempts', async c => {
    const id = pathInteger(c, 'id')
    const rows = await db.read(function* () {
      yield* needJob(id)
      return yield* listAttempts(id)
    })
    const items = rows.map(({ status, superseded, ...row }) =>
      compact({
        ...row,
        status: status === null ? null : statusWord(status),
        superseded: superseded === 1 ? true : null,
      }),
    )
    return c.json({ items, count: items.length })
  })

  routes.post('/jobs/:id/put_back', async c => {
    const id = pathInteger(c, 'id')
    const change = (await readOptionalBody(c, putBackSchema)) ?? {}
    const row = await db.write(function* () {
      const job = yield* needJob(id)
      refuseUnless(ENDED_BADLY, job, 'put back')
      yield* changeJob(job, change)
      yield* retryJob(id, clock())
      return yield* needJobReply(id)
    })
    return c.json(row)
  })

  routes.post('/jobs/:id/fail', async c => {
    const id = pathInteger(c, 'id')
    const done = await db.write(function* () {
      const job = yield* needJob(id)
      refuseUnless(new Set(['pending_failed']), job, 'fail')
      return yield* failJob(job, clock())
    })
    if (done?.leftOver) await drainFrontier(db, clock)
    return c.json(await db.read(() => needJobReply(id)))
  })

  routes.post('/jobs/:id/recovery', async c => {
    const id = pathInteger(c, 'id')
    const { run_id, attempt_id, return_code, message } = await readBody(c, recoverySchema)
    const recovery = {
      runId: run_id,
      attemptId: attempt_id,
      returnCode: return_code,
      message: message ?? undefined,
    }
    const isKnown = await db.write(function* () {
      const job = yield* needJob(id)
      return yield* recordRecovery(job.workflow_id, id, recovery, clock())
    })
    if (!isKnown)
      throw new AppError(
        'invalid',
        `Cannot record the recovery of job ${id} as attempt ${attempt_id} was not retried`,
        {
          field: 'attempt_id',
        },
      )
    return c.json({ job_id: id, attempt_id, return_code })
  })
  return routes
}

function refuseUnless(allowed: ReadonlySet<JobStatus>, job: JobRow, verb: string): void {
  const status = statusWord(job.status)
  if (allowed.has(status)) return
  throw new AppError(
    'illegal_status',
    `Cannot ${verb} job ${job.id} as its status is ${status}: it must be ${[...allowed].join(' or ')}`,
  )
}

/** What the owner changes for the next attempt; the rest stays. */
function* changeJob(job: JobRow, change: v.InferOutput<typeof putBackSchema>): Unit<void> {
  const set = change.resource_requirements_id ?? undefined
  if (set !== undefined) {
    const found = yield* needRow(resourceRequirements, 'Resource requirements', set)
    if (found.workflow_id !== job.workflow_id)
      throw new AppError(
        'invalid',
        `Cannot put back job ${job.id} as its workflow has no resource requirements ${set}`,
        {
          field: 'resource_requirements_id',
        },
      )
  }
  const { scheduler_id, labels } = job
  yield* updateJob(job.id, job.workflow_id, {
    command: change.command ?? undefined,
    class: set === undefined ? undefined : { resource_requirements_id: set, scheduler_id, labels },
  })
  if (change.env) yield* run('UPDATE job_text SET env = ? WHERE id = ?', JSON.stringify(change.env), job.id)
  if (change.time_limit_seconds) yield* limitTime(job.id, change.time_limit_seconds)
}

/** Gives the job up: the last attempt's result becomes its end, and what hangs below it is handled as after any failure. */
function* failJob(job: JobRow, now: number) {
  const workflow = yield* needWorkflow(job.workflow_id)
  const last = (yield* listAttempts(job.id)).findLast(attempt => attempt.compute_node_id !== null)
  if (last === undefined || last.compute_node_id === null)
    throw new AppError('illegal_status', `Cannot fail job ${job.id} as none of its attempts has ended`)
  const spanMs = (last.exited_at ?? now) - (last.launched_at ?? now)
  const result = {
    job_id: job.id,
    workflow_id: workflow.id,
    run_id: workflow.run_id,
    attempt_id: job.attempt_id,
    compute_node_id: last.compute_node_id,
    return_code: last.return_code ?? 1,
    status: 'failed',
    exec_time_minutes: Math.max(0, spanMs) / 60_000,
    completion_time: new Date(now).toISOString(),
  }
  return yield* completeJobs(workflow.id, [{ jobId: job.id, status: 'failed', runId: workflow.run_id, result }], {
    now,
  })
}
