import type { Completion } from '../api/core/completion.ts'
import { type JobStatus, STATUS } from '../api/core/status.ts'
import type { JobRow } from './attempt-rows.ts'
import { CLEAR_CLAIM } from './claim-columns.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import { insertRows } from './rows.ts'
import { run, type SqlValue, type Unit } from './unit.ts'

/** One report whose result is kept: the job as it was before, and where the result goes. */
export type Report = { completion: Completion; job: JobRow; status: JobStatus; attemptId: number; resultId: number }

// biome-ignore format: grouped by what they say
const RESULT_COLUMNS = [
  'id', 'job_id', 'run_id', 'attempt_id', 'compute_node_id', 'return_code', 'exec_time_minutes', 'completion_time', 'status',
  'peak_memory_bytes', 'user_seconds', 'system_seconds', 'ready_at', 'claimed_at', 'launched_at', 'exited_at',
]
/** What most results do not have: those of jobs that succeeded and were not watched. */
const RARE_COLUMNS = ['failure_class', 'avg_memory_bytes', 'peak_cpu_percent', 'avg_cpu_percent']
const ALL_COLUMNS = [...RESULT_COLUMNS, ...RARE_COLUMNS]

/** Stores the results of these reports on jobs of one workflow. A superseded one stands for the record and is never the latest. */
export function* storeResults(
  workflowId: number,
  reports: readonly Report[],
  now: number,
  superseded: boolean,
): Unit<void> {
  const haveRare = reports.some(report => rareOf(report).some(value => value !== null))
  const rows = haveRare ? reports.map(report => [...usualOf(report), ...rareOf(report)]) : reports.map(usualOf)
  yield* insertRows('result', haveRare ? ALL_COLUMNS : RESULT_COLUMNS, rows, 'OR REPLACE', {
    workflow_id: workflowId,
    recorded_at: now,
    superseded: superseded ? 1 : 0,
  })
}

/** The values of RESULT_COLUMNS. */
function usualOf({ completion, job, status, attemptId, resultId }: Report): SqlValue[] {
  const { result, usage, phaseTimes } = completion
  return [
    resultId,
    job.id,
    completion.runId,
    attemptId,
    result.compute_node_id,
    result.return_code,
    result.exec_time_minutes,
    result.completion_time,
    STATUS[status],
    usage?.peak_memory_bytes ?? result.peak_memory_bytes ?? null,
    usage?.user_seconds ?? null,
    usage?.system_seconds ?? null,
    job.ready_at,
    phaseTimes?.claimed ?? job.claimed_at,
    phaseTimes?.launched ?? job.started_at,
    phaseTimes?.exited ?? null,
  ]
}

/** The values of RARE_COLUMNS. */
const rareOf = ({ completion: { result, usage, failureClass } }: Report): SqlValue[] => [
  failureClass ?? null,
  usage?.avg_memory_bytes ?? result.avg_memory_bytes ?? null,
  usage?.peak_cpu_percent ?? result.peak_cpu_percent ?? null,
  usage?.avg_cpu_percent ?? result.avg_cpu_percent ?? null,
]

export function* storeFileTimes(workflowId: number, reports: readonly Report[]): Unit<void> {
  const times = reports.flatMap(report => report.completion.fileTimes ?? [])
  if (times.length === 0) return
  const haveDigests = times.some(({ sha256 }) => sha256 !== undefined)
  const told = haveDigests
    ? times.map(({ fileId, stMtime, sizeBytes, sha256 }) =>
        sha256 === undefined ? [fileId, stMtime] : [fileId, stMtime, sizeBytes ?? null, sha256],
      )
    : times.map(({ fileId, stMtime }) => [fileId, stMtime])
  yield* run(haveDigests ? SEEN_WITH_DIGESTS : SEEN, JSON.stringify(told), workflowId)
}

/** What is not told of a file that was seen again is not known any more. */
const SEEN = `
  WITH seen AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS st_mtime FROM json_each(?))
  UPDATE file SET st_mtime = seen.st_mtime, size_bytes = NULL, sha256 = NULL
  FROM seen WHERE file.id = seen.id AND file.workflow_id = ?`
const SEEN_WITH_DIGESTS = `
  WITH seen AS MATERIALIZED
    (SELECT value ->> 0 AS id, value ->> 1 AS st_mtime, value ->> 2 AS size_bytes, value ->> 3 AS sha256 FROM json_each(?))
  UPDATE file SET st_mtime = seen.st_mtime, size_bytes = seen.size_bytes, sha256 = seen.sha256
  FROM seen WHERE file.id = seen.id AND file.workflow_id = ?`

/** A job before and after a batch. */
export type Settled = { before: JobRow; after: JobRow }

/** Brings the jobs to what the batch has made of them and ends their claims. Last of all: other statements look at the old state. */
export function* settleJobs(jobs: readonly Settled[], now: number): Unit<void> {
  const usual = new Map<number, number[]>()
  const others: (number | null)[][] = []
  for (const { before, after } of jobs) {
    if (endsUsually(before, after)) {
      const ids = usual.get(after.status)
      if (ids === undefined) usual.set(after.status, [after.id])
      else ids.push(after.id)
    } else {
      const { id, status, attempt_id, losses, results, latest_result_id } = after
      others.push([id, status, attempt_id, losses, results, latest_result_id])
    }
  }
  for (const [status, ids] of usual) yield* run(FINISH, status, JSON.stringify(ids))
  if (others.length > 0) yield* run(SETTLE, JSON.stringify(others), now)
}

/** One new result, which is the latest; then the database counts by itself, and a list of ids says all. */
const endsUsually = (before: JobRow, after: JobRow): boolean =>
  after.attempt_id === before.attempt_id &&
  after.results === before.results + 1 &&
  after.latest_result_id === after.id * RESULT_ID_STEP + after.results

const FINISH = `
  UPDATE job SET status = ?1, ${CLEAR_CLAIM}, ready_at = NULL, unfinished = 0,
    results = results + 1, latest_result_id = id * ${RESULT_ID_STEP} + results + 1
  WHERE id IN (SELECT value FROM json_each(?2))`

const SETTLE = `
  WITH told AS MATERIALIZED (
    SELECT value ->> 0 AS id, value ->> 1 AS status, value ->> 2 AS attempt_id, value ->> 3 AS losses, value ->> 4 AS results,
      value ->> 5 AS latest_result_id FROM json_each(?1)
  )
  UPDATE job SET status = told.status, ${CLEAR_CLAIM}, ready_at = CASE told.status WHEN ${STATUS.ready} THEN ?2 END, unfinished = 0,
    attempt_id = told.attempt_id, losses = told.losses, results = told.results, latest_result_id = told.latest_result_id
  FROM told WHERE job.id = told.id`

/** Counts results that were kept for the record only: their jobs belong to somebody else, or to nobody, and stay as they are. */
export function* countResults(jobs: readonly JobRow[]): Unit<void> {
  if (jobs.length === 0) return
  yield* run(
    `WITH told AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS results FROM json_each(?))
     UPDATE job SET results = told.results FROM told WHERE job.id = told.id`,
    JSON.stringify(jobs.map(job => [job.id, job.results])),
  )
}
