import { Hono } from 'hono'
import { countActiveNodes, findUsableNodes } from '../../db/compute-nodes.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { type Heartbeat, renewClaims } from '../../db/heartbeat.ts'
import { listProgress, type Progress, type StatusCounts } from '../../db/progress.ts'
import type { ReleaseReply } from '../../db/release.ts'
import { nextRetryAt } from '../../db/retries.ts'
import { findUsable } from '../../db/served-workflows.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { manyHeartbeatSchema, manyReleaseSchema, manySummarySchema } from '../contract/claims-many.ts'
import { JOB_STATUSES } from '../core/status.ts'
import { newSecret } from './claims.ts'
import { heartbeatReply, toToldClaim } from './heartbeat.ts'
import { takeBack } from './release.ts'
import { isOver, secondsUntil, total } from './workflow-progress.ts'

/** What a runner that serves many workflows says and asks about what it holds: one request each, however many its nodes are. */
export function claimUpkeepRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/claims/heartbeat', async c => {
    const { claims, lease_seconds } = await readBody(c, manyHeartbeatSchema)
    const byNode = groupByNode(claims)
    const secret = newSecret()
    const { beats, strangers } = await db.write(function* () {
      const beats: Heartbeat[] = []
      const usable = yield* findUsableNodes([...byNode.keys()], c.var.subject)
      for (const { id } of usable) {
        const told = byNode.get(id)!.map(toToldClaim)
        const beat = yield* renewClaims(id, told, { now: clock(), secret, leaseSeconds: lease_seconds ?? undefined })
        if (beat !== undefined) beats.push(beat)
      }
      const known = new Set(usable.map(({ id }) => id))
      return { beats, strangers: claims.filter(claim => !known.has(claim.compute_node_id)) }
    })
    if (beats.some(beat => beat.due.leftOver)) await drainFrontier(db, clock)
    const replies = beats.map(heartbeatReply)
    return c.json({
      lease_expires_at: replies.length === 0 ? undefined : Math.min(...replies.map(reply => reply.lease_expires_at)),
      // The jobs of a node that is gone went with its workflow.
      lost: [...replies.flatMap(reply => reply.lost), ...strangers.map(claim => claim.job_id)],
      cancel: replies.flatMap(reply => reply.cancel),
      reclaimed: replies.flatMap(reply => reply.reclaimed),
      ready_hint: replies.some(reply => reply.ready_hint),
      starving: replies.some(reply => reply.starving) || undefined,
    })
  })

  routes.post('/claims/release', async c => {
    const { claims } = await readBody(c, manyReleaseSchema)
    const byNode = groupByNode(claims)
    const done = await db.write(function* () {
      const given: ReleaseReply[] = []
      for (const { id } of yield* findUsableNodes([...byNode.keys()], c.var.subject))
        given.push(yield* takeBack(id, byNode.get(id)!, { now: clock() }))
      return given
    })
    if (done.some(given => given.leftOver)) await drainFrontier(db, clock)
    return c.json({
      released: done.flatMap(given => given.released),
      lost: done.flatMap(given => given.lost),
      failed: done.flatMap(given => given.failed),
    })
  })

  routes.post('/claims/summary', async c => {
    const { workflow_ids, compute_nodes } = await readBody(c, manySummarySchema)
    const { subject } = c.var
    const summary = await db.read(function* () {
      const nodes = yield* findUsableNodes(compute_nodes ?? [], subject)
      const named = yield* findUsable(workflow_ids ?? [], subject)
      const ids = [...new Set([...nodes.map(node => node.workflow_id), ...named.map(({ id }) => id)])]
      return {
        ...sumOf(yield* listProgress(ids)),
        active_compute_nodes: yield* countActiveNodes(...ids),
        next_retry_in_seconds: secondsUntil(yield* nextRetryAt(...ids), clock()),
      }
    })
    return c.json(summary)
  })
  return routes
}

/** How these workflows stand together. */
function sumOf(all: readonly (Progress & { id: number })[]) {
  const counts = Object.fromEntries(JOB_STATUSES.map(word => [word, 0])) as StatusCounts
  for (const progress of all) for (const word of JOB_STATUSES) counts[word] += progress.counts[word]
  return {
    workflows: all.length,
    total_jobs: total(counts),
    jobs_by_status: counts,
    is_complete: all.every(isOver),
    canceled_workflows: all.filter(progress => progress.is_canceled !== 0).map(({ id }) => id),
    wait_for_new_jobs_seconds: Math.max(0, ...all.map(progress => progress.wait_for_new_jobs_seconds)),
  }
}

function groupByNode<T extends { compute_node_id: number }>(claims: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const claim of claims) {
    const group = groups.get(claim.compute_node_id) ?? []
    groups.set(claim.compute_node_id, group)
    group.push(claim)
  }
  return groups
}
