import type { Completion } from '../api/core/completion.ts'
import { ALLOCATION_END_CODE, mayLoseAgain } from '../api/core/losses.ts'
import { STATUS } from '../api/core/status.ts'
import { CLEAR_CLAIM } from './claim-columns.ts'
import { completeJobs } from './completions.ts'
import { type Loss, recordLosses } from './lost-attempts.ts'
import { run, type Unit } from './unit.ts'

export type LossClass = 'node_lost' | 'lease_expired' | 'allocation_end'

/** A claim whose attempt is lost, as the database has it. */
export type LostClaim = {
  id: number
  workflow_id: number
  attempt_id: number
  losses: number
  fence: number
  claim_token: string
  started_at: number | null
  run_id: number
  loss_budget: number
  compute_node_id: number
}

/** How an attempt ends whose job may not lose another one: as Torc's tools write it for a node that has vanished, and for its allocation's end. */
const LAST_LOSS = {
  node_lost: { status: 'failed', returnCode: -128 },
  lease_expired: { status: 'failed', returnCode: -128 },
  allocation_end: { status: 'terminated', returnCode: ALLOCATION_END_CODE },
} as const

/** For jobs in ?2: ready from ?1 on, and nobody's. */
export const RELEASE = `UPDATE job SET status = ${STATUS.ready}, ready_at = ?1, ${CLEAR_CLAIM}`

/**
 * Records lost attempts. Each spends one loss of its job's budget: the job is ready as its next attempt, or fails with the class of the
 * last loss when the budget is spent, and what hangs below it is handled as after any failure. `leftOver`: call drainFrontier.
 */
export function* loseAttempts(
  lost: readonly { claim: LostClaim; lossClass: LossClass }[],
  now: number,
): Unit<{ again: number[]; failed: number[]; leftOver: boolean }> {
  const mayGoOn = ({ claim }: { claim: LostClaim }) =>
    mayLoseAgain({ losses: claim.losses, lossBudget: claim.loss_budget })
  const again = lost.filter(mayGoOn).map(({ claim }) => claim.id)
  const failing = lost.filter(one => !mayGoOn(one))
  yield* recordLosses(lost.map(lossOf), now)
  const leftOver = yield* failLost(failing, now)
  if (again.length > 0) {
    yield* run(
      `${RELEASE}, attempt_id = attempt_id + 1, losses = losses + 1 WHERE id IN (SELECT value FROM json_each(?2))`,
      now,
      JSON.stringify(again),
    )
  }
  return { again, failed: failing.map(({ claim }) => claim.id), leftOver }
}

const lossOf = ({ claim, lossClass }: { claim: LostClaim; lossClass: LossClass }): Loss => ({
  jobId: claim.id,
  workflowId: claim.workflow_id,
  runId: claim.run_id,
  attemptId: claim.attempt_id,
  failureClass: lossClass,
  computeNodeId: claim.compute_node_id,
  claimToken: claim.claim_token,
  fence: claim.fence,
  startedAt: claim.started_at,
  losses: claim.losses + 1,
  lossBudget: claim.loss_budget,
})

/** Jobs that lost one attempt too many end as if their runner had reported it, one batch per workflow. */
function* failLost(failing: readonly { claim: LostClaim; lossClass: LossClass }[], now: number): Unit<boolean> {
  if (failing.length === 0) return false
  yield* run(
    'UPDATE job SET losses = losses + 1 WHERE id IN (SELECT value FROM json_each(?))',
    JSON.stringify(failing.map(({ claim }) => claim.id)),
  )
  let leftOver = false
  for (const workflowId of new Set(failing.map(({ claim }) => claim.workflow_id))) {
    const ends = failing.filter(({ claim }) => claim.workflow_id === workflowId)
    const batch = yield* completeJobs(
      workflowId,
      ends.map(({ claim, lossClass }) => lastEnd(claim, lossClass, now)),
      { now },
    )
    leftOver ||= batch?.leftOver === true
  }
  return leftOver
}

function lastEnd(claim: LostClaim, lossClass: LossClass, now: number): Completion {
  const { status, returnCode } = LAST_LOSS[lossClass]
  return {
    jobId: claim.id,
    status,
    runId: claim.run_id,
    claimToken: claim.claim_token,
    failureClass: lossClass,
    result: {
      job_id: claim.id,
      workflow_id: claim.workflow_id,
      run_id: claim.run_id,
      attempt_id: claim.attempt_id,
      compute_node_id: claim.compute_node_id,
      return_code: returnCode,
      status,
      exec_time_minutes: claim.started_at === null ? 0 : Math.max(0, now - claim.started_at) / 60_000,
      completion_time: new Date(now).toISOString(),
    },
  }
}
