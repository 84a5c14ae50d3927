import { STATUS } from '../api/core/status.ts'
import { run, type Unit } from './unit.ts'

/**
 * Counts of workflow actions at an initialise. Between two of them the database counts by itself, wherever a job's status changes: see
 * the triggers `action_*` of migration 0002.
 */

const COMPLETE = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated].join()
/** A job that runs or has run was ready once. */
const WAS_READY = [STATUS.ready, STATUS.pending, STATUS.running].join()

/**
 * Starts the actions of a workflow over (contract/notes.md 12.2, 19.10): recovery actions go, counts are made from the jobs as they stand
 * now, and what was executed may be executed again. A partial initialise is no new start, and keeps what its jobs still justify.
 */
export function* resetActions(workflowId: number, onlyUninitialized: boolean): Unit<void> {
  yield* run(
    'DELETE FROM action_job WHERE action_id IN (SELECT id FROM action WHERE workflow_id = ? AND is_recovery = 1)',
    workflowId,
  )
  yield* run('DELETE FROM action WHERE workflow_id = ? AND is_recovery = 1', workflowId)
  yield* run(
    `WITH jobs AS MATERIALIZED (
       SELECT a.id, count(j.id) AS named,
         count(*) FILTER (WHERE j.status IN (${COMPLETE})) AS complete,
         count(*) FILTER (WHERE j.status IN (${COMPLETE}, ${WAS_READY})) AS ready
       FROM action AS a LEFT JOIN action_job AS l ON l.action_id = a.id LEFT JOIN job AS j ON j.id = l.job_id
       WHERE a.workflow_id = ?1 GROUP BY a.id
     ), counted AS MATERIALIZED (
       SELECT a.id,
         CASE a.trigger_type
           WHEN 'on_workflow_start' THEN 1
           WHEN 'on_jobs_ready' THEN jobs.ready
           WHEN 'on_jobs_complete' THEN jobs.complete
           WHEN 'on_workflow_complete' THEN 0
           ELSE a.required_triggers END AS n,
         CASE WHEN NOT ?2 THEN 0
           WHEN a.trigger_type = 'on_workflow_start' THEN a.executed
           WHEN a.trigger_type IN ('on_jobs_ready', 'on_jobs_complete') AND jobs.named > 0 AND jobs.complete >= a.required_triggers
             THEN a.executed
           ELSE 0 END AS executed
       FROM action AS a JOIN jobs ON jobs.id = a.id
     )
     UPDATE action SET trigger_count = counted.n, executed = counted.executed,
       executed_by = CASE WHEN counted.executed THEN executed_by END
     FROM counted WHERE action.id = counted.id`,
    workflowId,
    Number(onlyUninitialized),
  )
}
