import { ALLOCATION_END_CODE, mayLoseAgain } from '../api/core/losses.ts'
import { STATUS } from '../api/core/status.ts'
import { CLEAR_CLAIM } from './claim-columns.ts'
import { completeJobs } from './completions.ts'
import { type Loss, recordLosses } from './lost-attempts.ts'
import { all, one, run, type Unit } from './unit.ts'

/** A claim that its runner gives back; `lost` names the failure class of an attempt that had started and is gone. */
export type ReleasedClaim = { jobId: number; claimToken: string; lost?: 'node_lost' | 'allocation_end' }

export type ReleaseReply = { released: number[]; lost: number[]; failed: number[]; leftOver: boolean }

type HeldRow = {
  id: number
  workflow_id: number
  attempt_id: number
  losses: number
  fence: number
  claim_token: string
  started_at: number | null
  run_id: number
  loss_budget: number
  lost: 'node_lost' | 'allocation_end' | null
}

/** How an attempt ends whose job may not lose another one: as Torc's tools write it for a node that has vanished, and for its allocation's end. */
const LAST_LOSS = {
  node_lost: { status: 'failed', returnCode: -128 },
  allocation_end: { status: 'terminated', returnCode: ALLOCATION_END_CODE },
} as const

const HELD = `
  SELECT j.id, j.workflow_id, j.attempt_id, j.losses, j.fence, j.claim_token, j.started_at, w.run_id, w.loss_budget, told.lost
  FROM (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS lost FROM json_each(?1)) AS told
  CROSS JOIN job j ON j.id = told.id AND j.claim_token = told.token AND j.compute_node_id = ?2
  CROSS JOIN workflow w ON w.id = j.workflow_id`

const RELEASE = `UPDATE job SET status = ${STATUS.ready}, ready_at = ?1, ${CLEAR_CLAIM}`

/**
 * Gives claims of one node back. A job that had not started is ready again as if nothing had been; a lost attempt is recorded, spends
 * the loss budget, and the job is ready as its next attempt, or failed when the budget is spent. With `rest`, whatever else the node
 * holds is given back as not started: its runner has ended and says so. Claims not held by these tokens are left alone.
 */
export function* releaseClaims(
  computeNodeId: number,
  claims: readonly ReleasedClaim[],
  options: { now: number; rest?: boolean },
): Unit<ReleaseReply> {
  const rows = yield* readHeld(computeNodeId, claims)
  const unstarted = rows.filter(row => row.lost === null).map(row => row.id)
  const lost = rows.filter(row => row.lost !== null)
  const again = lost.filter(canLoseAnother)
  const failing = lost.filter(row => !canLoseAnother(row))

  yield* recordLosses(
    lost.map(row => lossOf(computeNodeId, row)),
    options.now,
  )
  const leftOver = yield* endLost(computeNodeId, failing, options.now)
  if (unstarted.length > 0)
    yield* run(`${RELEASE} WHERE id IN (SELECT value FROM json_each(?2))`, options.now, JSON.stringify(unstarted))
  if (again.length > 0) {
    yield* run(
      `${RELEASE}, attempt_id = attempt_id + 1, losses = losses + 1 WHERE id IN (SELECT value FROM json_each(?2))`,
      options.now,
      JSON.stringify(again.map(row => row.id)),
    )
  }
  const rest = options.rest === true ? yield* releaseRest(computeNodeId, options.now) : []
  return {
    released: [...unstarted, ...rest],
    lost: again.map(row => row.id),
    failed: failing.map(row => row.id),
    leftOver,
  }
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

const canLoseAnother = (row: HeldRow): boolean => mayLoseAgain({ losses: row.losses, lossBudget: row.loss_budget })

const lossOf = (computeNodeId: number, row: HeldRow): Loss => ({
  jobId: row.id,
  workflowId: row.workflow_id,
  runId: row.run_id,
  attemptId: row.attempt_id,
  failureClass: row.lost ?? 'node_lost',
  computeNodeId,
  claimToken: row.claim_token,
  fence: row.fence,
  startedAt: row.started_at,
  losses: row.losses + 1,
  lossBudget: row.loss_budget,
})

function* releaseRest(computeNodeId: number, now: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `${RELEASE} WHERE compute_node_id = ?2 AND status IN (${STATUS.pending}, ${STATUS.running}) RETURNING id`,
    now,
    computeNodeId,
  )
  return rows.map(row => row.id)
}

/** A job that lost one node too many ends with the class of its last loss; what hangs below it is handled as after any failure. */
function* endLost(computeNodeId: number, failing: readonly HeldRow[], now: number): Unit<boolean> {
  let leftOver = false
  for (const row of failing) {
    const failureClass = row.lost ?? 'node_lost'
    const { status, returnCode } = LAST_LOSS[failureClass]
    yield* run('UPDATE job SET losses = losses + 1 WHERE id = ?', row.id)
    const batch = yield* completeJobs(
      row.workflow_id,
      [
        {
          jobId: row.id,
          status,
          runId: row.run_id,
          claimToken: row.claim_token,
          failureClass,
          result: {
            job_id: row.id,
            workflow_id: row.workflow_id,
            run_id: row.run_id,
            attempt_id: row.attempt_id,
            compute_node_id: computeNodeId,
            return_code: returnCode,
            status,
            exec_time_minutes: row.started_at === null ? 0 : Math.max(0, now - row.started_at) / 60_000,
            completion_time: new Date(now).toISOString(),
          },
        },
      ],
      { now },
    )
    leftOver ||= batch?.leftOver === true
  }
  return leftOver
}

/** Tells whether the node exists. */
export function* nodeExists(computeNodeId: number): Unit<boolean> {
  return (yield* one('SELECT 1 FROM compute_node WHERE id = ?', computeNodeId)) !== undefined
}
