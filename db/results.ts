import { and, between, eq, type SQL, sql } from 'drizzle-orm'
import { type JobStatus, STATUS } from '../api/core/status.ts'
import { counted, equals, type ListRequest, listPage, type Page, select } from './list.ts'
import { MOST_RESULTS, RESULT_ID_STEP } from './result-ids.ts'
import { job, jobText, result } from './schema.ts'
import { deleteRow, insertRow } from './table.ts'
import { all, one, run, type Unit } from './unit.ts'

const RESULT_COLUMNS = {
  id: result.id,
  job_id: result.job_id,
  job_name: sql<string>`${jobText.name}`.as('job_name'),
  workflow_id: result.workflow_id,
  run_id: result.run_id,
  attempt_id: result.attempt_id,
  compute_node_id: result.compute_node_id,
  return_code: result.return_code,
  exec_time_minutes: result.exec_time_minutes,
  completion_time: result.completion_time,
  status: result.status,
  peak_memory_bytes: result.peak_memory_bytes,
  avg_memory_bytes: result.avg_memory_bytes,
  peak_cpu_percent: result.peak_cpu_percent,
  avg_cpu_percent: result.avg_cpu_percent,
  failure_class: result.failure_class,
  user_seconds: result.user_seconds,
  system_seconds: result.system_seconds,
  ready_at: result.ready_at,
  claimed_at: result.claimed_at,
  launched_at: result.launched_at,
  exited_at: result.exited_at,
  recorded_at: result.recorded_at,
  superseded: result.superseded,
}

const SORTS = { ...RESULT_COLUMNS, job_name: jobText.name }

export type ResultRow = typeof result.$inferSelect & { job_name: string }

export type ResultFilter = {
  workflow_id: number
  job_id?: number
  run_id?: number
  return_code?: number
  status?: JobStatus
  compute_node_id?: number
  /** Every stored result instead of each job's latest one. */
  all_runs?: boolean
}

/** The ids of a job's results, which hold its own: its results lie side by side. */
const ofJob = (jobId: number): SQL =>
  between(result.id, jobId * RESULT_ID_STEP, jobId * RESULT_ID_STEP + RESULT_ID_STEP - 1)

export function* listResults(filter: ResultFilter, request: ListRequest): Unit<Page<ResultRow>> {
  const where = and(
    eq(result.workflow_id, filter.workflow_id),
    filter.job_id === undefined ? undefined : ofJob(filter.job_id),
    equals(result.run_id, filter.run_id),
    equals(result.return_code, filter.return_code),
    equals(result.status, filter.status && STATUS[filter.status]),
    equals(result.compute_node_id, filter.compute_node_id),
    eq(job.id, result.job_id),
    eq(jobText.id, result.job_id),
    filter.all_runs ? undefined : eq(job.latest_result_id, result.id),
  )
  // Crossed, so that the results lead: a page by key then begins at its first result, however many jobs have none.
  const rows = select.select(RESULT_COLUMNS).from(result).crossJoin(job).crossJoin(jobText).$dynamic()
  const total = select.select(counted).from(result).crossJoin(job).crossJoin(jobText).$dynamic()
  const key = [{ name: 'id', by: result.id }] as const
  return yield* listPage<ResultRow>({ rows, total, where, sorts: SORTS, order: [result.id], key }, request)
}

/** The ids of the latest results of these jobs, by job; jobs without one are left out. */
export function* latestResultsOf(jobIds: readonly number[]): Unit<Map<number, number>> {
  const rows = yield* all<{ id: number; latest: number }>(
    `SELECT j.id, j.latest_result_id AS latest FROM json_each(?) AS wanted CROSS JOIN job AS j ON j.id = wanted.value
     WHERE j.latest_result_id IS NOT NULL`,
    JSON.stringify(jobIds),
  )
  return new Map(rows.map(row => [row.id, row.latest]))
}

export type NewResultValues = Omit<typeof result.$inferInsert, 'id'>

/** Whether this attempt of the job has a result already. */
export function* hasResult(jobId: number, runId: number, attemptId: number): Unit<boolean> {
  const found = yield* one(
    'SELECT 1 FROM result WHERE id BETWEEN ? AND ? AND run_id = ? AND attempt_id = ? AND superseded = 0',
    jobId * RESULT_ID_STEP,
    (jobId + 1) * RESULT_ID_STEP - 1,
    runId,
    attemptId,
  )
  return found !== undefined
}

/** Stores a result as its job's latest one; undefined when the job has had as many as there may be. The job's status stays. */
export function* insertResult(values: NewResultValues): Unit<typeof result.$inferSelect | undefined> {
  const row = yield* one<{ results: number }>(
    `UPDATE job SET results = results + 1 WHERE id = ? AND results < ${MOST_RESULTS} RETURNING results`,
    values.job_id,
  )
  if (row === undefined) return undefined
  const id = values.job_id * RESULT_ID_STEP + row.results
  yield* run('UPDATE job SET latest_result_id = ? WHERE id = ?', id, values.job_id)
  return yield* insertRow(result, { id, ...values })
}

/** Removes a result; the newest that is left becomes the job's latest. */
export function* deleteResult(id: number, jobId: number): Unit<void> {
  yield* deleteRow(result, id)
  yield* run(
    `UPDATE job SET latest_result_id = (
       SELECT max(id) FROM result WHERE id BETWEEN ?1 * ${RESULT_ID_STEP} AND ?1 * ${RESULT_ID_STEP} + ${RESULT_ID_STEP - 1} AND superseded = 0
     ) WHERE id = ?1 AND latest_result_id = ?2`,
    jobId,
    id,
  )
}

/** Removes the results of a workflow and tells how many there were. */
export function* deleteResults(workflowId: number): Unit<number> {
  const gone = yield* all<unknown>(
    `DELETE FROM result WHERE id IN (
       SELECT r.id FROM job AS j CROSS JOIN result AS r
         ON r.id BETWEEN j.id * ${RESULT_ID_STEP} AND j.id * ${RESULT_ID_STEP} + ${RESULT_ID_STEP - 1}
       WHERE j.workflow_id = ?) RETURNING 1`,
    workflowId,
  )
  yield* run(
    'UPDATE job SET latest_result_id = NULL WHERE workflow_id = ? AND latest_result_id IS NOT NULL',
    workflowId,
  )
  return gone.length
}
