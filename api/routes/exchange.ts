import * as v from 'valibot'
import type { ClaimedJob } from '../../db/claimed-jobs.ts'
import { type ClaimOutcome, probeClaim } from '../../db/claims.ts'
import type { CompletedBatch } from '../../db/completions.ts'
import { type Exchanged, type ExchangeRequest, exchangeJobs, exchangeTogether } from '../../db/exchange.ts'
import { drainFrontier } from '../../db/frontier.ts'
import type { Db, Joint, Unit } from '../../db/unit.ts'
import type { Services } from '../context.ts'
import { toClaimRequest } from '../contract/claim.ts'
import { type batchSchema, completionSchema, toCompletion, toStarted } from '../contract/completion.ts'
import type { Completion } from '../core/completion.ts'
import type { Verdict } from '../core/verdicts.ts'
import { AppError, missing } from '../errors.ts'
import { badClaim, newSecret } from './claims.ts'
import { readSummary, type WorkflowProgress } from './workflow-progress.ts'

type ExchangeReply = {
  completed: number[]
  errors: { job_id: number; message: string }[]
  verdicts?: { index: number; job_id: number; code: Verdict['code'] }[]
  /** Attempts that failed and whose jobs are tried again. */
  retries?: { job_id: number; attempt_id: number; recovery_script?: string }[]
  claimed?: ClaimedJob[]
  claim_reason?: string
  ready_hint?: boolean
  summary?: WorkflowProgress
}

/**
 * What `batch_complete_jobs` does: ends of attempts, starts of held jobs and a claim in one transaction, with a verdict per entry.
 * Throws `AppError` when the whole cannot be taken.
 */
export async function exchange(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  workflowId: number,
  body: v.InferOutput<typeof batchSchema>,
): Promise<ExchangeReply> {
  const { completions, refused, positions } = sortEntries(body.completions)
  const parsed = body.claim ? toClaimRequest(body.claim, body.claim.limit) : undefined
  if (parsed !== undefined && !parsed.ok) throw badClaim(parsed.problem)
  const secret = newSecret()
  const started = (body.started ?? []).map(toStarted)
  const withSummary = async (reply: ExchangeReply): Promise<ExchangeReply> =>
    body.summary && reply.claimed?.length === 0
      ? { ...reply, summary: await db.read(() => readSummary(workflowId, clock())) }
      : reply
  // A claim and nothing else takes the write lock only when there is something for it.
  if (parsed !== undefined && body.completions.length === 0 && started.length === 0) {
    const { request } = parsed
    const seen = await db.read(() => probeClaim(workflowId, request, clock()))
    if (!seen.maybe) {
      if (seen.outcome.missing === 'workflow') throw missing('Workflow', workflowId)
      return withSummary({ ...toldOf([], body), ...claimedPart(seen.outcome) })
    }
  }

  const done = await write(db, workflowId, { completions, started, claim: parsed?.request, secret }, clock)
  // What did not fit the transaction is finished before the reply, so that no dependant waits for another request.
  if (done.batch.leftOver || done.due?.leftOver) await drainFrontier(db, clock)

  const verdicts = [
    ...done.batch.verdicts.map((verdict, k) => ({ index: positions[k]!, job_id: completions[k]!.jobId, verdict })),
    ...refused,
  ].sort((a, b) => a.index - b.index)
  return withSummary({
    ...toldOf(verdicts, body),
    ...(body.verdicts && done.batch.retries.length > 0 ? { retries: done.batch.retries.map(retryReply) } : {}),
    ...claimedPart(done.claimed),
    // A claim has told what is ready, unless the cascade went on after it. Without verdicts the reply is the contract's.
    ...(body.verdicts && (done.claimed === undefined || done.batch.leftOver)
      ? { ready_hint: done.batch.ready > 0 || done.batch.leftOver }
      : {}),
  })
}

type ExchangeJoint = Joint<Exchanged> & { request: ExchangeRequest }

/** Does it in one transaction, together with what others ask of the workflow at the same time. Throws `AppError` when that is gone. */
function write(db: Db, workflowId: number, request: ExchangeRequest, clock: () => number): Promise<Exchanged> {
  const claimed = (request.claim?.limit ?? 0) + (request.claim?.hold?.jobs ?? 0)
  const moment = () => ({ now: clock(), random: Math.random() })
  function* alone(): Unit<Exchanged> {
    return (yield* exchangeJobs(workflowId, request, moment())) ?? gone(workflowId)
  }
  const joint: ExchangeJoint = {
    key: `exchange of ${workflowId}`,
    size: Math.max(request.completions.length, claimed),
    request,
    *runAll(all) {
      const requests = (all as readonly ExchangeJoint[]).map(one => one.request)
      return (yield* exchangeTogether(workflowId, requests, moment())) ?? gone(workflowId)
    },
  }
  return db.write(alone, joint)
}

function gone(workflowId: number): never {
  throw missing('Workflow', workflowId)
}

/** What became of the entries; verdicts are told to those who ask. */
export function toldOf(judged: readonly Judged[], { verdicts }: { verdicts?: boolean | null }) {
  return {
    ...batchReply(judged),
    ...(verdicts
      ? { verdicts: judged.map(({ index, job_id, verdict }) => ({ index, job_id, code: verdict.code })) }
      : {}),
  }
}

export const retryReply = ({ jobId, attemptId, recoveryScript }: CompletedBatch['retries'][number]) => ({
  job_id: jobId,
  attempt_id: attemptId,
  recovery_script: recoveryScript,
})

/** A claim that cannot be served never spoils the completions it came with: it gets nothing, and a reason. */
function claimedPart(outcome: ClaimOutcome | undefined): { claimed?: ClaimedJob[]; claim_reason?: string } {
  if (outcome === undefined) return {}
  if (outcome.missing !== undefined) return { claimed: [], claim_reason: `${outcome.missing} not found` }
  return { claimed: outcome.reply.jobs, claim_reason: outcome.reply.reason }
}

export type Judged = { index: number; job_id: number; verdict: Verdict }

/** Entries that can be read, and for the others their refusal: one bad entry never spoils its batch. */
export function sortEntries(entries: readonly unknown[]): {
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
        field: `completions.${index}.${field}`,
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

/** Whether the completion counts, be it now or for the second time. */
export const isGood = (verdict: Verdict): boolean =>
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
