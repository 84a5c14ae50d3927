import { deleteSomeJobs } from './delete-jobs.ts'
import { type Db, run, together, type Unit } from './unit.ts'

/** Tables of which a workflow may have millions of rows, and the column that tells those of one workflow apart. */
const LARGE = [
  ['stream_event', 'seq'],
  ['event', 'id'],
  ['file', 'id'],
  ['ro_crate_entity', 'id'],
  ['user_data', 'id'],
] as const
/** Rows removed of each in one transaction, so that it ends within about 100 ms. */
const CHUNK = 4_000

/** Tables whose rows name their workflow and no job's business needs first; `workflow` itself goes last. */
const OWNED = [
  'allocation',
  'allocation_plan',
  'claim',
  'compute_node',
  'duty',
  'failure_handler',
  'frontier',
  'job_class',
  'local_scheduler',
  'pipe_run',
  'remote_worker',
  'resource_requirements',
  'scheduled_compute_node',
  'slurm_scheduler',
  'slurm_stats',
  'task',
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
  // Each round is one short transaction.
  while ((await db.write(() => deleteSomeJobs(id))) > 0);
  while (await db.write(() => deleteSomeRows(id)));
  await db.write(() => removeRest(id))
}

/** Whether there are more. */
function* deleteSomeRows(id: number): Unit<boolean> {
  const rows = yield* together([
    ...LARGE.map(([table, key]) => ({
      sql: `DELETE FROM ${table} WHERE workflow_id = ?1
        AND ${key} IN (SELECT ${key} FROM ${table} WHERE workflow_id = ?1 LIMIT ${CHUNK})`,
      args: [id],
    })),
    ...LARGE.map(([table]) => ({ sql: `SELECT 1 FROM ${table} WHERE workflow_id = ? LIMIT 1`, args: [id] })),
  ])
  return rows.slice(LARGE.length).some(left => left.length > 0)
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
