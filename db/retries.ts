import type { Completion } from '../api/core/completion.ts'
import type { Retry } from '../api/core/failure-decision.ts'
import { RECOVERY_PATIENCE_MS } from '../api/core/failure-decision.ts'
import { STATUS } from '../api/core/status.ts'
import { escalateJob } from './escalate.ts'
import { recordEvent } from './events.ts'
import type { FailureFacts } from './failure-facts.ts'
import { insertRows } from './rows.ts'
import type { Report } from './settle.ts'
import { appendEvents } from './stream-events.ts'
import { all, one, run, type Unit } from './unit.ts'

/** A failed attempt whose job is tried again. */
export type Retried = { report: Report; retry: Retry; facts: FailureFacts }

/**
 * Notes why attempts failed and what the next ones ask for, and lets these wait out their pause. One with a recovery script waits for the
 * runner's word that the script has ended, and goes on without it when none comes. The jobs are ready already.
 */
export function* recordRetries(workflowId: number, retried: readonly Retried[], now: number): Unit<void> {
  if (retried.length === 0) return
  yield* insertRows('retried_attempt', COLUMNS, retried.map(rowOf), 'OR REPLACE')
  const waiting = retried
    .map(({ report, retry }) => [report.job.id, now + waitMs(retry)])
    .filter(([, until]) => until !== now)
  yield* run(
    `WITH told AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS until FROM json_each(?))
     UPDATE job SET waits_until = told.until FROM told WHERE job.id = told.id`,
    JSON.stringify(waiting),
  )
  yield* run(
    `UPDATE job_text SET origin = 'retry' WHERE id IN (SELECT value FROM json_each(?)) AND origin IS NULL`,
    JSON.stringify(retried.map(({ report }) => report.job.id)),
  )
  for (const one of retried) {
    if (asksForMore(one)) yield* escalateJob(one.report.job.id, one.retry.next)
    yield* tellRetry(workflowId, one, now)
  }
}

// biome-ignore format: grouped by what they say
const COLUMNS = [
  'job_id', 'run_id', 'attempt_id', 'failure_class', 'return_code', 'pause_ms',
  'memory_bytes', 'runtime_seconds', 'next_memory_bytes', 'next_runtime_seconds', 'recovery_script',
]

const rowOf = ({ report, retry, facts: { asked } }: Retried) => [
  report.job.id,
  report.completion.runId,
  report.attemptId,
  report.completion.failureClass ?? '',
  report.completion.result.return_code,
  retry.pauseMs,
  asked.memoryBytes,
  asked.runtimeSeconds,
  retry.next.memoryBytes,
  retry.next.runtimeSeconds,
  retry.recoveryScript ?? null,
]

const waitMs = ({ pauseMs, recoveryScript }: Retry): number =>
  recoveryScript === undefined ? pauseMs : Math.max(pauseMs, RECOVERY_PATIENCE_MS)

const asksForMore = ({ retry: { next }, facts: { asked } }: Retried): boolean =>
  next.memoryBytes !== asked.memoryBytes || next.runtimeSeconds !== asked.runtimeSeconds

/** The event that the contract's retry stores (notes.md 9.6), with the reason; and the same for those who watch. */
function* tellRetry(workflowId: number, { report, retry, facts }: Retried, now: number): Unit<void> {
  const { job, attemptId, completion } = report
  const data = {
    previous_attempt: attemptId,
    new_attempt: attemptId + 1,
    failure_class: completion.failureClass,
    return_code: completion.result.return_code,
    pause_seconds: retry.pauseMs / 1000,
    memory_bytes: facts.asked.memoryBytes,
    next_memory_bytes: retry.next.memoryBytes,
    next_runtime_seconds: retry.next.runtimeSeconds,
  }
  yield* recordEvent(workflowId, now, {
    category: 'job',
    severity: 'info',
    event_type: 'job_retried',
    job_id: job.id,
    run_id: completion.runId,
    message: `Retrying job ${job.id}: attempt ${attemptId + 1}`,
    ...data,
  })
  yield* appendEvents(workflowId, now, [{ type: 'job_retried', jobId: job.id, data }])
}

/** What the reporter of a failed attempt is told: the job is tried again, after this script if there is one. */
export type RetryTold = { jobId: number; attemptId: number; recoveryScript: string | undefined }

/** Of failed attempts that are reported once more, those whose recovery script nobody has told the end of. */
export function* listOpenRecoveries(completions: readonly Completion[]): Unit<RetryTold[]> {
  const failed = completions.filter(entry => entry.failureClass !== undefined)
  if (failed.length === 0) return []
  type Row = { job_id: number; attempt_id: number; recovery_script: string }
  const rows = yield* all<Row>(
    `SELECT t.job_id, t.attempt_id, t.recovery_script
     FROM (SELECT value ->> 0 AS job_id, value ->> 1 AS run_id, value ->> 2 AS attempt_id FROM json_each(?)) AS told
     CROSS JOIN retried_attempt t ON t.job_id = told.job_id AND t.run_id = told.run_id AND t.attempt_id = told.attempt_id
     WHERE t.recovery_script IS NOT NULL AND t.recovery_return_code IS NULL`,
    JSON.stringify(failed.map(({ jobId, runId, result }) => [jobId, runId, result.attempt_id ?? null])),
  )
  return rows.map(row => ({ jobId: row.job_id, attemptId: row.attempt_id, recoveryScript: row.recovery_script }))
}

/** How a recovery script ended. */
export type Recovery = { runId: number; attemptId: number; returnCode: number; message: string | undefined }

/**
 * Notes how the recovery script after an attempt ended, and starts the pause before the next attempt. A failed script changes nothing but
 * the record. False when no such attempt is known.
 */
export function* recordRecovery(workflowId: number, jobId: number, recovery: Recovery, now: number): Unit<boolean> {
  const { runId, attemptId, returnCode, message } = recovery
  const known = yield* one<{ pause_ms: number }>(
    `UPDATE retried_attempt SET recovery_return_code = ?, recovery_message = ?
     WHERE job_id = ? AND run_id = ? AND attempt_id = ? RETURNING pause_ms`,
    returnCode,
    message ?? null,
    jobId,
    runId,
    attemptId,
  )
  if (known === undefined) return false
  yield* run(
    `UPDATE job SET waits_until = ? WHERE id = ? AND attempt_id = ? AND status = ${STATUS.ready} AND waits_until IS NOT NULL`,
    known.pause_ms > 0 ? now + known.pause_ms : null,
    jobId,
    attemptId + 1,
  )
  const data = { attempt_id: attemptId, return_code: returnCode, message }
  yield* appendEvents(workflowId, now, [{ type: 'job_recovery_ended', jobId, data }])
  return true
}

/** When the first job of a workflow has waited out its pause; undefined when none waits. Epoch milliseconds. */
export function* nextRetryAt(...workflowIds: number[]): Unit<number | undefined> {
  const row = yield* one<{ at: number | null }>(
    `SELECT min(waits_until) AS at FROM job INDEXED BY job_waiting
     WHERE waits_until IS NOT NULL AND workflow_id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(workflowIds),
  )
  return row?.at ?? undefined
}
