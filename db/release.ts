import { STATUS } from '../api/core/status.ts'
import { type CompletedBatch, completeJobs } from './completions.ts'
import { insertRows } from './rows.ts'
import { appendEvents } from './stream-events.ts'
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

/** What Torc's tools write for a job whose node has vanished. */
const LOST_RETURN_CODE = -128

const HELD = `
  SELECT j.id, j.workflow_id, j.attempt_id, j.losses, j.fence, j.claim_token, j.started_at, w.run_id, w.loss_budget, told.lost
  FROM (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS lost FROM json_each(?1)) AS told
  CROSS JOIN job j ON j.id = told.id AND j.claim_token = told.token AND j.compute_node_id = ?2
  CROSS JOIN workflow w ON w.id = j.workflow_id`

const RELEASE = `
  UPDATE job SET status = ${STATUS.ready}, ready_at = ?1, claim_token = NULL, compute_node_id = NULL, claimed_at = NULL,
    lease_seconds = NULL, lease_expires_at = NULL, started_at = NULL`

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
  const rows = yield* all<HeldRow>(
    HELD,
    JSON.stringify(claims.map(claim => [claim.jobId, claim.claimToken, claim.lost ?? null])),
    computeNodeId,
  )
  const unstarted = rows.filter(row => row.lost === null).map(row => row.id)
  const lost = rows.filter(row => row.lost !== null)
  const failing = lost.filter(row => row.losses + 1 > row.loss_budget)
  const again = lost.filter(row => row.losses + 1 <= row.loss_budget)

  yield* recordLost(computeNodeId, lost, options.now)
  const leftOver = yield* failLost(computeNodeId, failing, options.now)
  if (unstarted.length > 0) yield* run(`${RELEASE} WHERE id IN (SELECT value FROM json_each(?2))`, options.now, JSON.stringify(unstarted))
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

function* releaseRest(computeNodeId: number, now: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `${RELEASE} WHERE compute_node_id = ?2 AND status IN (${STATUS.pending}, ${STATUS.running}) RETURNING id`,
    now,
    computeNodeId,
  )
  return rows.map(row => row.id)
}

/** The lost attempt keeps its token, so that a late report of it can be judged (contract/notes.md 18). */
function* recordLost(computeNodeId: number, lost: readonly HeldRow[], now: number): Unit<void> {
  yield* insertRows(
    'lost_attempt',
    ['job_id', 'run_id', 'attempt_id', 'failure_class', 'compute_node_id', 'claim_token', 'fence', 'started_at', 'ended_at'],
    lost.map(row => [row.id, row.run_id, row.attempt_id, row.lost, computeNodeId, row.claim_token, row.fence, row.started_at, now]),
    'OR REPLACE',
  )
  for (const row of lost) {
    const data = { attempt_id: row.attempt_id, failure_class: row.lost, losses: row.losses + 1, loss_budget: row.loss_budget }
    yield* appendEvents(row.workflow_id, now, [{ type: 'job_attempt_lost', jobId: row.id, data }])
  }
}

/** A job that lost one node too many fails with the class of its last loss; what hangs below it is handled as after any failure. */
function* failLost(computeNodeId: number, failing: readonly HeldRow[], now: number): Unit<boolean> {
  let leftOver = false
  for (const row of failing) {
    yield* run('UPDATE job SET losses = losses + 1 WHERE id = ?', row.id)
    const batch: CompletedBatch | undefined = yield* completeJobs(
      row.workflow_id,
      [
        {
          jobId: row.id,
          status: 'failed',
          runId: row.run_id,
          claimToken: row.claim_token,
          failureClass: row.lost!,
          result: {
            job_id: row.id,
            workflow_id: row.workflow_id,
            run_id: row.run_id,
            attempt_id: row.attempt_id,
            compute_node_id: computeNodeId,
            return_code: LOST_RETURN_CODE,
            status: 'failed',
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
