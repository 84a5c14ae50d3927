import type { Migration } from '../migrate.ts'

/**
 * The trigger of 0002 once more, with ranges in place of lists: SQLite builds a list of more than two values anew each time a trigger
 * runs, which cost every change of a job's status as much as a third of the change. The statuses from 5 to 8 are those of jobs that ended.
 */
export const actionTrigger: Migration = {
  version: 14,
  name: 'action-trigger',
  statements: [
    'DROP TRIGGER action_jobs_complete',
    `CREATE TRIGGER action_jobs_complete AFTER UPDATE OF status ON job
     WHEN NEW.status BETWEEN 5 AND 8 AND OLD.status NOT BETWEEN 5 AND 8
       AND EXISTS (SELECT 1 FROM action_job WHERE job_id = NEW.id) BEGIN
      UPDATE action SET trigger_count = trigger_count + 1
      WHERE id IN (SELECT action_id FROM action_job WHERE job_id = NEW.id)
        AND trigger_type = 'on_jobs_complete' AND trigger_count < required_triggers
        AND (SELECT is_canceled FROM workflow WHERE id = NEW.workflow_id) = 0;
    END`,
  ],
}
