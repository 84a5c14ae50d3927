import { STATUS } from '../api/core/status.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import { insertRows } from './rows.ts'
import type { result } from './schema.ts'
import { run, type SqlValue, type Unit } from './unit.ts'

export type RestoredJob = { id: number; status: number; attempt: number }

const OPEN: readonly number[] = [STATUS.blocked, STATUS.ready, STATUS.pending, STATUS.running]

/**
 * Gives imported jobs the statuses and attempts they had. Nobody holds them here, so those that were on their way become ready until
 * `recount` has seen what they wait for.
 */
export function* restoreJobs(jobs: readonly RestoredJob[], now: number): Unit<void> {
  if (jobs.length === 0) return
  const rows = jobs.map(({ id, status, attempt }) => [id, OPEN.includes(status) ? STATUS.ready : status, attempt])
  yield* run(
    `WITH had AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS status, value ->> 2 AS attempt FROM json_each(?1))
     UPDATE job SET status = had.status, attempt_id = had.attempt,
       ready_at = CASE WHEN had.status = ${STATUS.ready} THEN ?2 END
     FROM had WHERE job.id = had.id`,
    JSON.stringify(rows),
    now,
  )
}

/** Stores dependencies, each a pair of the job waited for and the one that waits. */
export function* connectJobs(edges: readonly (readonly [number, number])[]): Unit<void> {
  yield* insertRows('job_edge', ['depends_on_job_id', 'job_id'], edges, 'OR IGNORE')
}

type ResultRow = typeof result.$inferInsert

export type ImportedResult = Omit<{ [K in keyof ResultRow]: Exclude<ResultRow[K], undefined> | undefined }, 'id'> & {
  job_id: number
  /** Its id where it came from, which holds its number among the results of its job. */
  formerId: number
  isLatest: boolean
}

const COLUMNS = [
  'run_id',
  'attempt_id',
  'compute_node_id',
  'return_code',
  'exec_time_minutes',
  'completion_time',
  'status',
  'peak_memory_bytes',
  'avg_memory_bytes',
  'peak_cpu_percent',
  'avg_cpu_percent',
  'failure_class',
  'user_seconds',
  'system_seconds',
  'ready_at',
  'claimed_at',
  'launched_at',
  'exited_at',
  'recorded_at',
  'superseded',
] as const

/** Stores results with their numbers and makes the latest ones their jobs' latest. Gives the former id of one whose number is none. */
export function* insertResults(workflowId: number, results: readonly ImportedResult[]): Unit<number | undefined> {
  const numberOf = ({ formerId }: ImportedResult) => formerId % RESULT_ID_STEP
  const bad = results.find(one => numberOf(one) < 1)
  if (bad !== undefined) return bad.formerId
  const rows = results.map(one => [
    one.job_id * RESULT_ID_STEP + numberOf(one),
    one.job_id,
    workflowId,
    ...COLUMNS.map((name): SqlValue => one[name] ?? null),
  ])
  yield* insertRows('result', ['id', 'job_id', 'workflow_id', ...COLUMNS], rows, 'OR REPLACE')
  const marks = results.map(one => [one.job_id, numberOf(one), Number(one.isLatest)])
  yield* run(
    `WITH had AS MATERIALIZED (
       SELECT value ->> 0 AS id, max(value ->> 1) AS n, max(CASE WHEN value ->> 2 THEN value ->> 1 END) AS latest
       FROM json_each(?) GROUP BY 1)
     UPDATE job SET results = max(job.results, had.n),
       latest_result_id = ifnull(had.id * ${RESULT_ID_STEP} + had.latest, job.latest_result_id)
     FROM had WHERE job.id = had.id`,
    JSON.stringify(marks),
  )
  return undefined
}
