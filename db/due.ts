import { STATUS } from '../api/core/status.ts'
import { drainFrontier } from './frontier.ts'
import { type LostClaim, loseAttempts, RELEASE } from './lose-attempts.ts'
import { isDue, lapsedNodes, recountLeases } from './node-leases.ts'
import { all, type Db, run, type Unit } from './unit.ts'

/** What is done in one transaction at most: well below 100 ms on a file. */
const MOST_NODES = 50
const MOST_JOBS = 500

/** `leftOver`: a failure's cascade goes on, call drainFrontier. `more`: what is due did not fit this transaction. */
export type SettledDue = { leftOver: boolean; more: boolean }

export const NOTHING_DUE: SettledDue = { leftOver: false, more: false }

/**
 * Does what the time has brought, inside the caller's transaction: takes jobs back whose lease has lapsed, one by one and without waiting
 * for their siblings, and lets jobs go on that have waited out their pause. Called by claims, heartbeats and ticks.
 */
export function* settleDue(now: number): Unit<SettledDue> {
  if (!(yield* isDue(now))) return NOTHING_DUE
  yield* run('UPDATE job SET waits_until = NULL WHERE waits_until <= ?', now)
  return yield* rescueLapsed(now)
}

/** The same outside of a request, until nothing is due. */
export async function settleAllDue(db: Db, now: number): Promise<void> {
  if (!(await db.read(() => isDue(now)))) return
  for (let more = true; more; ) {
    const done = await db.write(() => settleDue(now))
    if (done.leftOver) await drainFrontier(db, () => now)
    more = done.more
  }
}

type LapsedRow = LostClaim & { is_held: number }

function* rescueLapsed(now: number): Unit<SettledDue> {
  const nodes = yield* lapsedNodes(now, MOST_NODES)
  if (nodes.length === 0) return NOTHING_DUE
  const rows = yield* all<LapsedRow>(LAPSED, JSON.stringify(nodes), now)
  const held = rows.filter(row => row.is_held === 1)
  const lost = rows.filter(row => row.is_held === 0)
  if (held.length > 0) {
    const ids = JSON.stringify(held.map(row => row.id))
    yield* run(`${RELEASE} WHERE id IN (SELECT value FROM json_each(?2))`, now, ids)
  }
  const { leftOver } = yield* loseAttempts(
    lost.map(claim => ({ claim, lossClass: 'lease_expired' as const })),
    now,
  )
  yield* recountLeases(nodes)
  const isFull = rows.length === MOST_JOBS || nodes.length === MOST_NODES
  return { leftOver, more: isFull && rows.length > 0 }
}

const LAPSED = `
  SELECT j.id, j.workflow_id, j.attempt_id, j.losses, j.fence, j.claim_token, j.started_at, j.compute_node_id, j.is_held, w.run_id, w.loss_budget
  FROM json_each(?1) AS node CROSS JOIN job j INDEXED BY job_held ON j.compute_node_id = node.value AND j.lease_expires_at <= ?2
    AND j.status IN (${STATUS.pending}, ${STATUS.running})
  CROSS JOIN workflow w ON w.id = j.workflow_id AND w.state = 'live' LIMIT ${MOST_JOBS}`
