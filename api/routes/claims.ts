import { Hono } from 'hono'
import { type ClaimOutcome, type ClaimReply, probeClaim, settleAndClaim } from '../../db/claims.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { readBody, readOptionalBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { type ClaimProblem, resourcesSchema, slotsSchema, toClaimRequest } from '../contract/claim.ts'
import { isLabel } from '../contract/fields.ts'
import type { ClaimRequest } from '../core/claim.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'

const DEFAULT_LIMIT = 10

/** The two kinds of claim. No claim waits, and one that gets nothing never takes the write lock (requirements.md 1). */
export function claimRoutes({ db, clock, metrics }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  async function claim(workflowId: number, request: ClaimRequest): Promise<ClaimReply> {
    const seen = await db.read(() => probeClaim(workflowId, request, clock()))
    if (!seen.maybe) return replyOf(workflowId, seen.outcome)
    const secret = newSecret()
    const { due, outcome } = await db.write(function* () {
      return yield* settleAndClaim(workflowId, request, { now: clock(), secret, expected: seen.expected })
    })
    if (due.leftOver) await drainFrontier(db, clock)
    const reply = replyOf(workflowId, outcome)
    metrics.work.claimed(reply.jobs.length)
    return reply
  }

  routes.post('/workflows/:id/claim_jobs_based_on_resources/:limit', async c => {
    const id = pathInteger(c, 'id')
    const limit = pathInteger(c, 'limit')
    const { strict_scheduler_match } = readQuery(c, { strict_scheduler_match: 'boolean' })
    const body = await readBody(c, resourcesSchema)
    const parsed = toClaimRequest({ ...body, strict_scheduler_match }, limit)
    // The order of outcomes is the contract's: a missing workflow, then canceled, then an empty limit, then a bad time limit.
    if (!parsed.ok) return c.json(await claimUnlessBad(id, limit, parsed.problem))
    return c.json(await claim(id, parsed.request))
  })

  async function claimUnlessBad(id: number, limit: number, problem: ClaimProblem): Promise<ClaimReply> {
    const offer = { cpus: 0, memoryBytes: 0, gpus: 0, nodes: 0 }
    const seen = await db.read(() => probeClaim(id, { limit, offer, labels: [] }, clock()))
    const reply = seen.maybe ? undefined : replyOf(id, seen.outcome)
    if (reply !== undefined && (reply.reason !== undefined || limit <= 0)) return reply
    throw badClaim(problem)
  }

  routes.post('/workflows/:id/claim_next_jobs', async c => {
    const id = pathInteger(c, 'id')
    const { limit = DEFAULT_LIMIT, labels = '' } = readQuery(c, { limit: 'integer', labels: 'text' })
    const body = (await readOptionalBody(c, slotsSchema)) ?? {}
    const parsed = toClaimRequest(body, limit, body.labels ?? parseLabels(labels))
    if (!parsed.ok) throw badClaim(parsed.problem)
    return c.json(await claim(id, parsed.request))
  })
  return routes
}

/** 128 random bits, from which the tokens of one claim are made. */
export const newSecret = (): string => crypto.randomUUID().replaceAll('-', '')

export const badClaim = ({ why, field, value }: ClaimProblem): AppError =>
  new AppError('invalid', `Cannot claim jobs as ${why}`, { field, value })

function replyOf(workflowId: number, outcome: ClaimOutcome): ClaimReply {
  switch (outcome.missing) {
    case undefined:
      return outcome.reply
    case 'workflow':
      throw new AppError('not_found', `Workflow not found with ID: ${workflowId}`)
    case 'compute_node':
      throw new AppError('invalid', 'Cannot claim jobs as the workflow has no such compute node', {
        field: 'compute_node_id',
      })
  }
}

function parseLabels(text: string): string[] {
  const labels = [...new Set(text.split(',').filter(label => label !== ''))].sort()
  const bad = labels.find(label => !isLabel(label))
  if (bad !== undefined)
    throw new AppError('invalid', `Cannot claim jobs as a label has a blank at an end: "${bad}"`, { field: 'labels' })
  return labels
}
