import { Hono } from 'hono'
import { completeJobs } from '../../db/completions.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { batchSchema, singleCompletionSchema, toCompletion } from '../contract/completion.ts'
import { isReportable } from '../core/status.ts'
import type { Verdict } from '../core/verdicts.ts'
import { AppError, EarlyRefusal } from '../errors.ts'
import { pathInteger, pathStatus, readQuery } from '../query.ts'
import { exchange, isGood } from './exchange.ts'
import { needJob, needWorkflow } from './guards.ts'
import { jobReply } from './job-reply.ts'

/** One attempt's end, and batches of them: with verdicts, starts of held jobs and a claim in the same transaction. */
export function completionRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, metrics } = services
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/batch_complete_jobs', async c => {
    const id = pathInteger(c, 'id')
    const reply = await exchange(services, id, await readBody(c, batchSchema))
    metrics.work.completed(reply.completed.length)
    metrics.work.claimed(reply.claimed?.length ?? 0)
    return c.json(reply)
  })

  routes.post('/jobs/:id/complete_job/:status/:run_id', async c => {
    const jobId = pathInteger(c, 'id')
    const status = pathStatus(c, 'status')
    const runId = pathInteger(c, 'run_id')
    const { force } = readQuery(c, { force: 'boolean' })
    if (!isReportable(status))
      throw new EarlyRefusal(
        'illegal_status',
        `Cannot complete job_id=${jobId} as the status is not terminal: ${status}`,
      )
    const job = await db.read(() => needJob(jobId))
    const { claim_token, ...result } = await readBody(c, singleCompletionSchema)
    const completion = toCompletion({ job_id: jobId, status, run_id: runId, claim_token, result })
    const done = await db.write(function* () {
      yield* needWorkflow(job.workflow_id)
      return yield* completeJobs(job.workflow_id, [completion], { now: clock(), force })
    })
    if (done?.leftOver) await drainFrontier(db, clock)
    const verdict = done?.verdicts[0]
    if (verdict !== undefined && !isGood(verdict)) throw refusal(verdict)
    metrics.work.completed(1)
    return c.json(jobReply(await db.read(() => needJob(jobId))))
  })
  return routes
}

function refusal({ code, message }: Verdict): AppError {
  switch (code) {
    case 'accepted':
    case 'duplicate':
    case 'salvaged':
      throw new Error(`Cannot refuse a completion as it was taken: ${code}`)
    default:
      return new AppError(code, message)
  }
}
