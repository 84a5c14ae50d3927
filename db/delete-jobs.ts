import { isComplete, STATUS, statusWord } from '../api/core/status.ts'
import { FANOUT, releaseDependants } from './cascade.ts'
import { noteChangedInputs } from './input-hashes.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import { all, one, together, type Unit } from './unit.ts'

type Open = { id: number; workflow_id: number; status: number }

/** Removes one job with all that names it. A blocked dependant that waits for nothing else becomes ready. */
export function* deleteJob(job: Open, now: number): Unit<void> {
  yield* releaseDependantsOf(job, now)
  yield* noteChangedInputs('SELECT job_id FROM job_edge WHERE depends_on_job_id = ?', job.id)
  yield* deleteJobRows(job.workflow_id, [job.id])
}

/** Tells those who wait for an open job that they wait no longer, since it is gone or disabled; nothing for a job that has ended. */
export function* releaseDependantsOf({ id: jobId, workflow_id, status }: Open, now: number): Unit<void> {
  if (isComplete(statusWord(status)) || status === STATUS.disabled) return
  const dependants = yield* one<{ n: number }>('SELECT count(*) AS n FROM job_edge WHERE depends_on_job_id = ?', jobId)
  // In this transaction whatever their number: of a deleted job the edges are gone when it ends.
  yield* releaseDependants(workflow_id, [{ jobId, unsuccessful: false }], Math.min(dependants!.n, FANOUT), now)
}

/** Jobs removed in one transaction, so that it ends within about 100 ms. */
const CHUNK = 2_000

/** Removes the next jobs of a workflow, in the order of their ids, and tells how many. Nothing of theirs stays. */
export function* deleteSomeJobs(workflowId: number): Unit<number> {
  const rows = yield* all<{ id: number }>(
    'SELECT id FROM job WHERE workflow_id = ? ORDER BY id LIMIT ?',
    workflowId,
    CHUNK,
  )
  if (rows.length > 0) {
    yield* deleteJobRows(
      workflowId,
      rows.map(row => row.id),
    )
  }
  return rows.length
}

/** Everything that belongs to a job alone, and where its id stands. */
const BELONGINGS = [
  'DELETE FROM job_edge WHERE depends_on_job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM job_edge WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM job_file WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM job_user_data WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM action_job WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM lost_attempt WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM retried_attempt WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM frontier WHERE job_id IN (SELECT value FROM json_each(?))',
  'DELETE FROM job_text WHERE id IN (SELECT value FROM json_each(?))',
]

function* deleteJobRows(workflowId: number, ids: readonly number[]): Unit<void> {
  const args = [JSON.stringify(ids)]
  yield* together([
    ...BELONGINGS.map(sql => ({ sql, args })),
    {
      sql: `DELETE FROM result WHERE id IN (SELECT r.id FROM json_each(?) AS j
        CROSS JOIN result AS r ON r.id BETWEEN j.value * ${RESULT_ID_STEP} AND j.value * ${RESULT_ID_STEP} + ${RESULT_ID_STEP - 1})`,
      args,
    },
    {
      sql: `DELETE FROM slurm_stats WHERE workflow_id = ? AND job_id IN (SELECT value FROM json_each(?))`,
      args: [workflowId, args[0]!],
    },
    {
      sql: `UPDATE workflow_count SET n = n - (
          SELECT count(*) FROM json_each(?1) AS j CROSS JOIN job ON job.id = j.value AND job.status = workflow_count.status)
        WHERE workflow_id = ?2`,
      args: [args[0]!, workflowId],
    },
    { sql: 'DELETE FROM job WHERE id IN (SELECT value FROM json_each(?))', args },
  ])
}
