import { Hono } from 'hono'
import * as v from 'valibot'
import type { ClaimedJob } from '../../db/claimed-jobs.ts'
import { type ClaimOutcome, claimJobs } from '../../db/claims.ts'
import { completeJobs, startHeld } from '../../db/completions.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { toClaimRequest } from '../contract/claim.ts'
import { batchSchema, completionSchema, reportedResultSchema, toCompletion, toStarted } from '../contract/completion.ts'
import type { Completion } from '../core/completion.ts'
import type { Verdict } from '../core/verdicts.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { badClaim, newSecret } from './claims.ts'
import { needJob, needWorkflow } from './guards.ts'
import { jobReply } from './job-reply.ts'

/** One attempt's end, and batches of them: with verdicts, starts of held jobs and a claim in the same transaction. */
export function completionRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/batch_complete_jobs', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, batchSchema)
    const { completions, refused, positions } = sortEntries(body.completions)
    const parsed = body.claim ? toClaimRequest(body.claim, body.claim.limit) : undefined
    if (parsed !== undefined && !parsed.ok) throw badClaim(parsed.problem)
    const secret = newSecret()
    const started = (body.started ?? []).map(toStarted)

    const done = await db.write(function* () {
      const now = clock()
      const batch = yield* completeJobs(id, completions, { now })
      if (batch === undefined) throw new AppError('not_found', `Workflow not found with ID: ${id}`)
      yield* startHeld(id, started, now)
      const claimed = parsed && (yield* claimJobs(id, parsed.request, { now, secret }))
      return { batch, claimed }
    })
    // What did not fit the transaction is finished before the reply, so that no dependant waits for another request.
    if (done.batch.leftOver) await drainFrontier(db, clock)

    const verdicts = [
      ...done.batch.verdicts.map((verdict, k) => ({ index: positions[k]!, job_id: completions[k]!.jobId, verdict })),
      ...refused,
    ].sort((a, b) => a.index - b.index)
    return c.json({
      ...batchReply(verdicts),
      ...(body.verdicts
        ? { verdicts: verdicts.map(({ index, job_id, verdict }) => ({ index, job_id, code: verdict.code })) }
        : {}),
      ...claimedPart(done.claimed),
      // A claim has told what is ready, unless the cascade went on after it.
      ...(done.claimed === undefined || done.batch.leftOver
        ? { ready_hint: done.batch.ready > 0 || done.batch.leftOver }
        : {}),
    })
  })

  routes.post('/jobs/:id/complete_job/:status/:run_id', async c => {
    const jobId = pathInteger(c, 'id')
    const status = c.req.param('status')
    const runId = pathInteger(c, 'run_id')
    const { force } = readQuery(c, { force: 'boolean' })
    const job = await db.read(() => needJob(jobId))
    const result = await readBody(c, reportedResultSchema)
    const completion = toCompletion({ job_id: jobId, status, run_id: runId, result })
    const done = await db.write(function* () {
      yield* needWorkflow(job.workflow_id)
      return yield* completeJobs(job.workflow_id, [completion], { now: clock(), force })
    })
    if (done?.leftOver) await drainFrontier(db, clock)
    const verdict = done?.verdicts[0]
    if (verdict !== undefined && !isGood(verdict)) throw refusal(verdict)
    return c.json(jobReply(await db.read(() => needJob(jobId))))
  })
  return routes
}

/** A claim that cannot be served never spoils the completions it came with: it gets nothing, and a reason. */
function claimedPart(outcome: ClaimOutcome | undefined): { claimed?: ClaimedJob[]; claim_reason?: string } {
  if (outcome === undefined) return {}
  if (outcome.missing !== undefined) return { claimed: [], claim_reason: `${outcome.missing} not found` }
  return { claimed: outcome.reply.jobs, claim_reason: outcome.reply.reason }
}

type Judged = { index: number; job_id: number; verdict: Verdict }

/** Entries that can be read, and for the others their refusal: one bad entry never spoils its batch. */
function sortEntries(entries: readonly unknown[]): {
  completions: Completion[]
  positions: number[]
  refused: Judged[]
} {
  const completions: Completion[] = []
  const positions: number[] = []
  const refused: Judged[] = []
  entries.forEach((entry, index) => {
    const read = v.safeParse(completionSchema, entry, { abortEarly: true })
    if (read.success) {
      completions.push(toCompletion(read.output))
      positions.push(index)
      return
    }
    const jobId = jobIdOf(entry)
    const field = v.getDotPath(read.issues[0]) ?? 'entry'
    if (jobId === undefined)
      throw new AppError('invalid', `Cannot read completions[${index}]: ${field} is missing or of a wrong type`, {
        field,
      })
    refused.push({
      index,
      job_id: jobId,
      verdict: { code: 'mismatch', message: `${field} is missing or of a wrong type` },
    })
  })
  return { completions, positions, refused }
}

function jobIdOf(entry: unknown): number | undefined {
  const id = typeof entry === 'object' && entry !== null && 'job_id' in entry ? entry.job_id : undefined
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : undefined
}

const isGood = (verdict: Verdict): boolean =>
  verdict.code === 'accepted' || verdict.code === 'duplicate' || verdict.code === 'salvaged'

/** The contract's reply: each accepted job once, however often it was sent. */
function batchReply(verdicts: readonly Judged[]): {
  completed: number[]
  errors: { job_id: number; message: string }[]
} {
  const completed = new Set<number>()
  const errors: { job_id: number; message: string }[] = []
  for (const { job_id, verdict } of verdicts) {
    if (isGood(verdict)) completed.add(job_id)
    else errors.push({ job_id, message: verdict.message })
  }
  return { completed: [...completed], errors }
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
