import { LEASE_SECONDS } from '../api/core/leases.ts'
import { STATUS } from '../api/core/status.ts'
import { alongside } from './alongside.ts'
import { type SettledDue, settleDue } from './due.ts'
import { noteLease, recountLeases } from './node-leases.ts'
import { appendEvents } from './stream-events.ts'
import { all, one, type Unit } from './unit.ts'

/** A claim its runner still holds, as it says; `running`: its process runs now. */
export type ToldClaim = { jobId: number; claimToken: string; running: boolean }

/** A job that was taken back and is nobody's: the runner that still runs it has it again, as its next attempt. */
export type Reclaimed = { jobId: number; claimToken: string; attemptId: number }

export type Heartbeat = {
  /** The end of the earliest lease of the node, epoch milliseconds. */
  leaseExpiresAt: number
  /** Jobs that are no longer this runner's. */
  lost: number[]
  /** Jobs that were canceled meanwhile. */
  cancel: number[]
  reclaimed: Reclaimed[]
  /** Jobs of the node's workflow are ready. */
  readyHint: boolean
  /** Nothing is ready, and another node of the workflow has nothing to do: what this one holds ahead could start there. */
  starving: boolean
  /** What the time has brought to other nodes is done on this occasion. */
  due: SettledDue
}

/**
 * Renews all leases of a node in one go and tells what became of the other claims it believes to hold. A claim without a lease is left as
 * it is. `undefined` when the node does not exist. `secret` is 128 random bits as text; `leaseSeconds` is what the leases last from now on.
 */
export function* renewClaims(
  computeNodeId: number,
  claims: readonly ToldClaim[],
  { now, secret, leaseSeconds }: { now: number; secret: string; leaseSeconds?: number },
): Unit<Heartbeat | undefined> {
  const usualEnd = now + (leaseSeconds ?? LEASE_SECONDS) * 1000
  const told = JSON.stringify(claims.map(claim => [claim.jobId, claim.claimToken]))
  const [node, renewed] = yield* alongside(
    one<{ workflow_id: number }>('SELECT workflow_id FROM compute_node WHERE id = ?', computeNodeId),
    all<{ id: number; lease_expires_at: number }>(RENEW, told, now, computeNodeId, leaseSeconds ?? null),
  )
  if (node === undefined) return undefined
  const ids = new Set(renewed.map(row => row.id))
  if (renewed.length > 0) yield* recountLeases([computeNodeId])
  // First the caller's own: what it renews now has not lapsed.
  const [others, readyHint, hasIdleOther, due] = yield* alongside(
    readOthers(
      claims.filter(claim => !ids.has(claim.jobId)),
      computeNodeId,
    ),
    hasReady(node.workflow_id),
    hasIdleNodeBeside(computeNodeId, node.workflow_id),
    settleDue(now),
  )
  const byFate = (fate: Fate) => others.filter(row => fateOf(row) === fate)
  const reclaimed = yield* reclaim(computeNodeId, byFate('reclaim'), { now, secret, leaseSeconds })
  if (reclaimed.length > 0) yield* noteLease(computeNodeId, usualEnd)
  const ends = renewed.map(row => row.lease_expires_at)
  if (reclaimed.length > 0 || ends.length === 0) ends.push(usualEnd)
  return {
    leaseExpiresAt: Math.min(...ends),
    lost: byFate('lost').map(row => row.id),
    cancel: byFate('cancel').map(row => row.id),
    reclaimed,
    readyHint,
    starving: !readyHint && hasIdleOther && claims.some(claim => !claim.running),
    due,
  }
}

const RENEW = `
  WITH told AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS token FROM json_each(?1))
  UPDATE job SET lease_seconds = coalesce(?4, lease_seconds),
    lease_expires_at = max(lease_expires_at, ?2 + coalesce(?4, lease_seconds) * 1000) FROM told
  WHERE job.id = told.id AND job.claim_token = told.token AND job.compute_node_id = ?3 AND job.lease_seconds IS NOT NULL
  RETURNING job.id, job.lease_expires_at`

type OtherRow = {
  id: number
  token: string
  running: number
  status: number | null
  claim_token: string | null
  attempt_id: number | null
  lost_attempt_id: number | null
  started_at: number | null
}

type Fate = 'kept' | 'cancel' | 'reclaim' | 'lost'

/** What became of claims that have no lease to renew, with the loss that each token was rescued as, if it was. */
function* readOthers(claims: readonly ToldClaim[], computeNodeId: number): Unit<OtherRow[]> {
  if (claims.length === 0) return []
  return yield* all<OtherRow>(
    OTHERS,
    JSON.stringify(claims.map(claim => [claim.jobId, claim.claimToken, claim.running ? 1 : 0])),
    computeNodeId,
  )
}

const OTHERS = `
  SELECT told.id, told.token, told.running, j.status, j.claim_token, j.attempt_id, l.attempt_id AS lost_attempt_id, l.started_at
  FROM (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS running FROM json_each(?1)) AS told
  LEFT JOIN job j ON j.id = told.id LEFT JOIN workflow w ON w.id = j.workflow_id
  LEFT JOIN lost_attempt l ON l.job_id = told.id AND l.run_id = w.run_id AND l.claim_token = told.token AND l.compute_node_id = ?2
    AND l.failure_class = 'lease_expired'`

function fateOf(row: OtherRow): Fate {
  if (row.claim_token === row.token) return 'kept'
  if (row.status === STATUS.canceled) return 'cancel'
  const isNext = row.lost_attempt_id !== null && row.attempt_id === row.lost_attempt_id + 1
  return row.running === 1 && row.status === STATUS.ready && isNext ? 'reclaim' : 'lost'
}

/** Gives jobs back to the node that never stopped running them. The loss stays counted; the claim is a new one. */
function* reclaim(
  computeNodeId: number,
  rows: readonly OtherRow[],
  { now, secret, leaseSeconds = LEASE_SECONDS }: { now: number; secret: string; leaseSeconds?: number },
): Unit<Reclaimed[]> {
  if (rows.length === 0) return []
  const token = `${secret}.`
  type Row = { id: number; workflow_id: number; claim_token: string; attempt_id: number }
  const taken = yield* all<Row>(
    RECLAIM,
    token,
    computeNodeId,
    now,
    leaseSeconds,
    JSON.stringify(rows.map(row => [row.id, row.started_at ?? now])),
  )
  for (const { id, workflow_id, attempt_id } of taken) {
    const data = { compute_node_id: computeNodeId, attempt_id }
    yield* appendEvents(workflow_id, now, [{ type: 'job_reclaimed', jobId: id, data }])
  }
  return taken.map(row => ({ jobId: row.id, claimToken: row.claim_token, attemptId: row.attempt_id }))
}

const RECLAIM = `
  WITH back AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS started_at FROM json_each(?5))
  UPDATE job SET status = ${STATUS.running}, claim_token = ?1 || job.id, compute_node_id = ?2, fence = fence + 1, claimed_at = ?3,
    started_at = back.started_at, lease_seconds = ?4, lease_expires_at = ?3 + ?4 * 1000, waits_until = NULL
  FROM back WHERE job.id = back.id AND job.status = ${STATUS.ready}
  RETURNING job.id, job.workflow_id, job.claim_token, job.attempt_id`

function* hasReady(workflowId: number): Unit<boolean> {
  const row = yield* one(
    `SELECT 1 FROM job INDEXED BY job_ready WHERE workflow_id = ? AND status = ${STATUS.ready} AND waits_until IS NULL LIMIT 1`,
    workflowId,
  )
  return row !== undefined
}

function* hasIdleNodeBeside(computeNodeId: number, workflowId: number): Unit<boolean> {
  const row = yield* one(
    `SELECT 1 FROM compute_node n WHERE n.workflow_id = ? AND n.id <> ? AND n.is_active = 1
       AND NOT EXISTS (SELECT 1 FROM job WHERE compute_node_id = n.id) LIMIT 1`,
    workflowId,
    computeNodeId,
  )
  return row !== undefined
}
