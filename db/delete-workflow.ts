import { deleteSomeJobs } from './delete-jobs.ts'
import { type Db, run, together, type Unit } from './unit.ts'

/** Tables whose rows name their workflow and no job's business needs first; `workflow` itself goes last. */
const OWNED = [
  'allocation',
  'allocation_plan',
  'claim',
  'compute_node',
  'duty',
  'event',
  'failure_handler',
  'file',
  'frontier',
  'job_class',
  'local_scheduler',
  'pipe_run',
  'remote_worker',
  'resource_requirements',
  'ro_crate_entity',
  'scheduled_compute_node',
  'slurm_scheduler',
  'slurm_stats',
  'stream_event',
  'task',
  'user_data',
  'webhook',
  'webhook_progress',
  'workflow_access_group',
]

/** Hides a workflow; `removeWorkflow` does the rest, and tick does it when a crash came between. */
export function* hideWorkflow(id: number, now: number): Unit<void> {
  yield* run(`UPDATE workflow SET state = 'deleting', state_since = ? WHERE id = ?`, now, id)
}

/** Removes a hidden workflow with everything that names it, in transactions short enough for other writers. */
export async function removeWorkflow(db: Db, id: number): Promise<void> {
  while ((await db.write(() => deleteSomeJobs(id))) > 0) {
    // Each round is one short transaction.
  }
  await db.write(() => removeRest(id))
}

function* removeRest(id: number): Unit<void> {
  const args = [id]
  yield* together([
    {
      sql: 'DELETE FROM action_job WHERE action_id IN (SELECT id FROM action WHERE workflow_id = ?)',
      args,
    },
    {
      sql: 'DELETE FROM passed_over WHERE compute_node_id IN (SELECT id FROM compute_node WHERE workflow_id = ?)',
      args,
    },
    { sql: 'DELETE FROM action WHERE workflow_id = ?', args },
    ...OWNED.map(table => ({ sql: `DELETE FROM ${table} WHERE workflow_id = ?`, args })),
    { sql: 'DELETE FROM workflow WHERE id = ?', args },
  ])
}
