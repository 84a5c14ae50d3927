import { all, one, run, type Unit } from './unit.ts'

/** Until when the earliest lease of each node runs: where rescue looks first (migrations/0005-leases.ts). */

/** Notes the end of new leases of a node. An earlier one stands. */
export function* noteLease(computeNodeId: number, expiresAt: number): Unit<void> {
  yield* run(
    `INSERT INTO node_lease VALUES (?, ?)
     ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at WHERE excluded.expires_at < node_lease.expires_at`,
    computeNodeId,
    expiresAt,
  )
}

/** Whether a lease may have lapsed, or a job has waited out its pause: then settleDue has something to do. */
export function* isDue(now: number): Unit<boolean> {
  const row = yield* one<{ due: number }>(
    `SELECT EXISTS (SELECT 1 FROM node_lease WHERE expires_at <= ?1)
       OR EXISTS (SELECT 1 FROM job INDEXED BY job_waiting WHERE waits_until <= ?1) AS due`,
    now,
  )
  return row?.due === 1
}

/** Nodes with a lease that may have lapsed, the longest ago first. */
export function* lapsedNodes(now: number, limit: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    'SELECT compute_node_id AS id FROM node_lease WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
    now,
    limit,
  )
  return rows.map(row => row.id)
}

/** Counts the earliest ends of these nodes anew. A node without leases is forgotten. */
export function* recountLeases(computeNodeIds: readonly number[]): Unit<void> {
  const nodes = JSON.stringify(computeNodeIds)
  yield* run('DELETE FROM node_lease WHERE compute_node_id IN (SELECT value FROM json_each(?))', nodes)
  yield* run(
    `INSERT INTO node_lease SELECT compute_node_id, min(lease_expires_at) FROM job INDEXED BY job_held
     WHERE compute_node_id IN (SELECT value FROM json_each(?)) AND lease_expires_at IS NOT NULL GROUP BY compute_node_id`,
    nodes,
  )
}

export function* hasLeases(): Unit<boolean> {
  return (yield* one('SELECT 1 FROM node_lease LIMIT 1')) !== undefined
}

/**
 * Gives every lease its full time again. For a server that was away or frozen: no runner could renew meanwhile, so their silence says
 * nothing about them.
 */
export function* extendLeases(now: number): Unit<void> {
  const nodes = yield* all<{ id: number }>('SELECT compute_node_id AS id FROM node_lease')
  if (nodes.length === 0) return
  const ids = nodes.map(row => row.id)
  yield* run(
    `UPDATE job SET lease_expires_at = max(lease_expires_at, ?1 + lease_seconds * 1000)
     WHERE compute_node_id IN (SELECT value FROM json_each(?2)) AND lease_seconds IS NOT NULL`,
    now,
    JSON.stringify(ids),
  )
  yield* recountLeases(ids)
}
