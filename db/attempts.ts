import { RESULT_ID_STEP } from './result-ids.ts'
import { all, type Unit } from './unit.ts'

/** One attempt of a job that has ended, with what it had asked for and what the next one asks for where it was tried again. */
export type AttemptRow = {
  run_id: number
  attempt_id: number
  /** Status of its result; null when its runner never reported it. */
  status: number | null
  failure_class: string | null
  return_code: number | null
  compute_node_id: number | null
  launched_at: number | null
  exited_at: number | null
  peak_memory_bytes: number | null
  user_seconds: number | null
  system_seconds: number | null
  superseded: number
  memory_bytes: number | null
  runtime_seconds: number | null
  next_memory_bytes: number | null
  next_runtime_seconds: number | null
  recovery_script: string | null
  recovery_return_code: number | null
  recovery_message: string | null
}

const ATTEMPTS = `
  WITH ended AS (
    SELECT job_id, run_id, attempt_id, status, failure_class, return_code, compute_node_id, launched_at, exited_at, peak_memory_bytes,
      user_seconds, system_seconds, superseded
    FROM result WHERE id BETWEEN ?1 * ${RESULT_ID_STEP} AND ?1 * ${RESULT_ID_STEP} + ${RESULT_ID_STEP - 1}
    UNION ALL
    SELECT job_id, run_id, attempt_id, NULL, failure_class, NULL, compute_node_id, started_at, ended_at, NULL, NULL, NULL, 0
    FROM lost_attempt WHERE job_id = ?1
  )
  SELECT e.*, t.memory_bytes, t.runtime_seconds, t.next_memory_bytes, t.next_runtime_seconds, t.recovery_script,
    t.recovery_return_code, t.recovery_message
  FROM ended e LEFT JOIN retried_attempt t ON t.job_id = ?1 AND t.run_id = e.run_id AND t.attempt_id = e.attempt_id
  ORDER BY e.run_id, e.attempt_id, e.superseded, e.exited_at`

/** Gives a job's attempts that have ended, the oldest first: those with results, and those that were lost. */
export function* listAttempts(jobId: number): Unit<AttemptRow[]> {
  return yield* all<AttemptRow>(ATTEMPTS, jobId)
}
