import { Hono } from 'hono'
import type * as v from 'valibot'
import { claimMany, type ManyClaim, type ManyClaimed, probeMany, repeatMany } from '../../db/claims-many.ts'
import { settleDue } from '../../db/due.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { findWorkflow } from '../../db/workflows.ts'
import { readBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { toClaimRequest } from '../contract/claim.ts'
import { manyClaimsSchema } from '../contract/claims-many.ts'
import { dialectOf } from '../dialect.ts'
import { badClaim, newSecret } from './claims.ts'
import { type Applied, applyTold, NOTHING_TOLD, readTold, type Told } from './claims-told.ts'
import { nodeFacts } from './compute-nodes.ts'
import { toldOf } from './exchange.ts'
import { workflowReply } from './workflow-reply.ts'

type Body = v.InferOutput<typeof manyClaimsSchema>
type Done = Applied & { jobs: ManyClaimed }

/** One request of a runner that serves many workflows: what has ended and started in any of them, and a claim over all. */
export function manyClaimRoutes({ db, clock, dialect: option, metrics }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/claims', async c => {
    const body = await readBody(c, manyClaimsSchema)
    const claim = toManyClaim(c, body)
    const told = await readTold(db, body, c.var.subject)
    const isQuiet = told.workflows.length === 0 && told.refused.length === 0
    const { jobs, verdicts, retries } = isQuiet ? await claimOnly(claim, told) : await tellAndClaim(told, claim)
    const entries = toldOf(verdicts, body)
    metrics.work.completed(entries.completed.length)
    metrics.work.claimed(jobs.length)
    return c.json({
      jobs,
      workflows: await newWorkflows(c, jobs, body.compute_nodes ?? []),
      ...(body.completions ? entries : {}),
      ...(retries.length > 0 ? { retries } : {}),
    })
  })

  /** A claim and nothing else takes the write lock only when there is something for it. */
  async function claimOnly(claim: ManyClaim, told: Told): Promise<Done> {
    const seen = await db.read(() => probeMany(claim, clock()))
    if (seen === 'maybe') return tellAndClaim(told, claim)
    return { ...NOTHING_TOLD, jobs: seen === 'repeated' ? await db.read(() => repeatMany(claim)) : [] }
  }

  async function tellAndClaim(told: Told, claim: ManyClaim): Promise<Done> {
    const secret = newSecret()
    const { applied, due, claimed } = await db.write(function* () {
      const now = clock()
      const applied = yield* applyTold(told, { now, random: Math.random(), secret })
      const due = yield* settleDue(now)
      return { applied, due, claimed: yield* claimMany(claim, { now, secret }) }
    })
    if (applied.leftOver || due.leftOver) await drainFrontier(db, clock)
    return { ...applied, jobs: claimed === 'repeated' ? await db.read(() => repeatMany(claim)) : claimed }
  }

  /** The workflows of jobs whose nodes the runner does not know yet: all it has to know to run them. */
  async function newWorkflows(c: AppRequest, jobs: ManyClaimed, known: readonly number[]) {
    const nodes = new Map(jobs.map(job => [job.workflow_id, job.compute_node_id]))
    const dialect = dialectOf(name => c.req.header(name), option)
    const found: (ReturnType<typeof workflowReply> & { compute_node_id: number })[] = []
    for (const [id, compute_node_id] of nodes) {
      if (compute_node_id === undefined || known.includes(compute_node_id)) continue
      const row = await db.read(() => findWorkflow(id))
      if (row !== undefined) found.push({ ...workflowReply(row, dialect), compute_node_id })
    }
    return found
  }
  return routes
}

function toManyClaim(c: AppRequest, body: Body): ManyClaim {
  const { limit = 0, node, served, compute_nodes, workflow_ids, user, project } = body
  // The nodes are the server's to find; what a claim with a node may say, this one may when it tells what its nodes are like.
  const parsed = toClaimRequest({ ...body, compute_node_id: node ? 0 : undefined }, limit ?? 0)
  if (!parsed.ok) throw badClaim(parsed.problem)
  const { computeNodeId: _, ...request } = parsed.request
  return {
    request,
    serving: {
      workflowIds: workflow_ids ?? undefined,
      user: user ?? undefined,
      project: project ?? undefined,
      subject: c.var.subject,
    },
    nodeIds: compute_nodes ?? [],
    node: node ? nodeFacts(node) : undefined,
    served: served ?? [],
  }
}
