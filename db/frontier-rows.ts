import { run, type Unit } from './unit.ts'

/** Notes that the dependants of these finished jobs are still to be told. */
export function* addToFrontier(
  workflowId: number,
  finished: readonly { jobId: number; unsuccessful: boolean }[],
): Unit<void> {
  yield* run(
    `INSERT OR IGNORE INTO frontier(job_id, workflow_id, unsuccessful)
     SELECT value ->> 0, ?1, value ->> 1 FROM json_each(?2)`,
    workflowId,
    JSON.stringify(finished.map(job => [job.jobId, job.unsuccessful ? 1 : 0])),
  )
}

/** Forgets what was left to tell in a workflow whose jobs are all counted anew. */
export function* clearFrontier(workflowId: number): Unit<void> {
  yield* run('DELETE FROM frontier WHERE workflow_id = ?', workflowId)
}
