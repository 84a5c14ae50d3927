import { STATUS } from '../api/core/status.ts'
import { all, run, type Unit } from './unit.ts'

const DONE = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated, STATUS.disabled].join()
const UNSUCCESSFUL = [STATUS.failed, STATUS.canceled, STATUS.terminated].join()

/**
 * What jobs wait for, counted from the rows, for a list of their ids. A dependency in the frontier counts as unfinished for those
 * it has not been told to yet: the frontier lowers their counts later.
 */
export const WAITING = `
  SELECT e.job_id AS id,
    sum(d.status NOT IN (${DONE}) OR f.job_id IS NOT NULL) AS unfinished,
    sum(d.status IN (${UNSUCCESSFUL}) AND f.job_id IS NULL) AS unsuccessful
  FROM (SELECT DISTINCT value AS id FROM json_each(?1)) AS wanted
  CROSS JOIN job_edge e ON e.job_id = wanted.id
  CROSS JOIN job d ON d.id = e.depends_on_job_id
  LEFT JOIN frontier f ON f.job_id = d.id AND f.cursor < e.job_id
  GROUP BY e.job_id`

/** Counts anew what these jobs wait for and blocks those that wait; claimed, running and finished ones are left alone. */
export function* recount(jobIds: readonly number[]): Unit<void> {
  if (jobIds.length === 0) return
  yield* run(
    `WITH waiting AS MATERIALIZED (${WAITING})
     UPDATE job SET
       unfinished = waiting.unfinished,
       unsuccessful = waiting.unsuccessful,
       status = CASE WHEN waiting.unfinished > 0 THEN ${STATUS.blocked} ELSE status END,
       ready_at = CASE WHEN waiting.unfinished > 0 THEN NULL ELSE ready_at END
     FROM waiting
     WHERE job.id = waiting.id AND job.status IN (${STATUS.blocked}, ${STATUS.ready})`,
    JSON.stringify(jobIds),
  )
}

/**
 * Settles the dependants of jobs that were complete and are open again (retry, reset): what was left to tell about their end is
 * void, and who is blocked or ready counts anew.
 */
export function* reblockDependants(jobIds: readonly number[]): Unit<void> {
  if (jobIds.length === 0) return
  const list = JSON.stringify(jobIds)
  yield* run('DELETE FROM frontier WHERE job_id IN (SELECT value FROM json_each(?))', list)
  const rows = yield* all<{ id: number }>(
    `SELECT DISTINCT e.job_id AS id FROM json_each(?) AS open CROSS JOIN job_edge e ON e.depends_on_job_id = open.value`,
    list,
  )
  yield* recount(rows.map(row => row.id))
}
