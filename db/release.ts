import { STATUS } from '../api/core/status.ts'
import { type LostClaim, loseAttempts, RELEASE } from './lose-attempts.ts'
import { all, one, run, type Unit } from './unit.ts'

/** A claim that its runner gives back; `lost` names the failure class of an attempt that had started and is gone. */
export type ReleasedClaim = { jobId: number; claimToken: string; lost?: Loss }

type Loss = 'node_lost' | 'allocation_end'

export type ReleaseTerms = {
  now: number
  /** Give back whatever else the node holds. */
  rest?: boolean
  /** Jobs that are not part of the rest: their processes go on. */
  kept?: readonly number[]
  /** What became of that where it had started: its runner is gone, and cannot say itself what it had. */
  restLost?: Loss
}

export type ReleaseReply = { released: number[]; lost: number[]; failed: number[]; leftOver: boolean }

type HeldRow = LostClaim & { lost: Loss | null }

const CLAIM = `
  j.id, j.workflow_id, j.attempt_id, j.losses, j.fence, j.claim_token, j.started_at, j.compute_node_id, w.run_id, w.loss_budget`

const HELD = `
  SELECT ${CLAIM}, told.lost
  FROM (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS lost FROM json_each(?1)) AS told
  CROSS JOIN job j ON j.id = told.id AND j.claim_token = told.token AND j.compute_node_id = ?2
  CROSS JOIN workflow w ON w.id = j.workflow_id`

/** What a node has started and not told the end of: ?1 the node, ?2 what to call the loss. */
const STARTED = `
  SELECT ${CLAIM}, ?2 AS lost FROM job j CROSS JOIN workflow w ON w.id = j.workflow_id
  WHERE j.compute_node_id = ?1 AND j.status = ${STATUS.running} AND j.started_at IS NOT NULL`

/**
 * Gives claims of one node back. A job that had not started is ready again as if nothing had been; a lost attempt is recorded and spends
 * the loss budget (lose-attempts.ts). With `rest`, whatever else the node holds is given back as not started: its runner has ended and
 * says so. Claims not held by these tokens are left alone.
 */
export function* releaseClaims(
  computeNodeId: number,
  claims: readonly ReleasedClaim[],
  { now, rest = false, kept = [], restLost }: ReleaseTerms,
): Unit<ReleaseReply> {
  const told = yield* readHeld(computeNodeId, claims)
  const rows = restLost === undefined ? told : [...told, ...(yield* readStarted(computeNodeId, restLost, told))]
  const unstarted = rows.filter(row => row.lost === null).map(row => row.id)
  const { again, failed, leftOver } = yield* loseAttempts(
    rows.flatMap(claim => (claim.lost === null ? [] : [{ claim, lossClass: claim.lost }])),
    now,
  )
  if (unstarted.length > 0)
    yield* run(`${RELEASE} WHERE id IN (SELECT value FROM json_each(?2))`, now, JSON.stringify(unstarted))
  const others = rest ? yield* releaseRest(computeNodeId, kept, now) : []
  return { released: [...unstarted, ...others], lost: again, failed, leftOver }
}

/** What the node still holds of these claims. One that is named twice counts once, as it was named last. */
function* readHeld(computeNodeId: number, claims: readonly ReleasedClaim[]): Unit<HeldRow[]> {
  const named = new Map(claims.map(claim => [claim.jobId, claim]))
  return yield* all<HeldRow>(
    HELD,
    JSON.stringify([...named.values()].map(claim => [claim.jobId, claim.claimToken, claim.lost ?? null])),
    computeNodeId,
  )
}

/** What the node has started, without what was named. */
function* readStarted(computeNodeId: number, loss: Loss, named: readonly HeldRow[]): Unit<HeldRow[]> {
  const ids = new Set(named.map(row => row.id))
  const rows = yield* all<HeldRow>(STARTED, computeNodeId, loss)
  return rows.filter(row => !ids.has(row.id))
}

function* releaseRest(computeNodeId: number, kept: readonly number[], now: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `${RELEASE} WHERE compute_node_id = ?2 AND status IN (${STATUS.pending}, ${STATUS.running})
       AND id NOT IN (SELECT value FROM json_each(?3)) RETURNING id`,
    now,
    computeNodeId,
    JSON.stringify(kept),
  )
  return rows.map(row => row.id)
}

/** Tells whether the node exists. */
export function* nodeExists(computeNodeId: number): Unit<boolean> {
  return (yield* one('SELECT 1 FROM compute_node WHERE id = ?', computeNodeId)) !== undefined
}
