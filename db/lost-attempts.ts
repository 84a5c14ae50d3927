import { insertRows } from './rows.ts'
import { appendEvents } from './stream-events.ts'
import type { Unit } from './unit.ts'

/** An attempt that its job may take again: it spends one loss of the budget. */
export type Loss = {
  jobId: number
  workflowId: number
  runId: number
  attemptId: number
  failureClass: string
  computeNodeId: number | null
  claimToken: string | null
  fence: number
  startedAt: number | null
  /** With this one. */
  losses: number
  lossBudget: number
}

/** Keeps lost attempts with their tokens, so that a late report can be judged (contract/notes.md 18), and tells who waits for them. */
export function* recordLosses(losses: readonly Loss[], now: number): Unit<void> {
  yield* insertRows(
    'lost_attempt',
    [
      'job_id',
      'run_id',
      'attempt_id',
      'failure_class',
      'compute_node_id',
      'claim_token',
      'fence',
      'started_at',
      'ended_at',
    ],
    losses.map(loss => [
      loss.jobId,
      loss.runId,
      loss.attemptId,
      loss.failureClass,
      loss.computeNodeId,
      loss.claimToken,
      loss.fence,
      loss.startedAt,
      now,
    ]),
    'OR REPLACE',
  )
  for (const loss of losses) {
    const data = {
      attempt_id: loss.attemptId,
      failure_class: loss.failureClass,
      losses: loss.losses,
      loss_budget: loss.lossBudget,
    }
    yield* appendEvents(loss.workflowId, now, [{ type: 'job_attempt_lost', jobId: loss.jobId, data }])
  }
}
