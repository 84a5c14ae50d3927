import { STATUS } from '../api/core/status.ts'
import { LostInTheMaking } from './creating.ts'
import { hideWorkflow, removeWorkflow } from './delete-workflow.ts'
import { type Db, one, run, type Unit } from './unit.ts'

/**
 * New jobs of a workflow that are too many for one transaction are stored piece by piece under a stage: a workflow that nobody sees, whose
 * state is `creating`. One last transaction moves them over. What a crash leaves behind, tick removes.
 */

export function* openStage(now: number): Unit<number> {
  const stage = yield* one<{ id: number }>(
    `INSERT INTO workflow (name, user, state, state_since, created_at) VALUES ('', '', 'creating', ?1, ?1) RETURNING id`,
    now,
  )
  return stage!.id
}

/** Shows the staged jobs in their workflow. Throws LostInTheMaking when tick has taken the stage for one that a crash had left. */
export function* moveStagedJobs(stage: number, workflowId: number, count: number): Unit<void> {
  const open = yield* one(`SELECT 1 FROM workflow WHERE id = ? AND state = 'creating'`, stage)
  if (open === undefined) throw new LostInTheMaking()
  yield* run('UPDATE job SET workflow_id = ? WHERE workflow_id = ?', workflowId, stage)
  yield* run(
    `UPDATE workflow_count SET n = n + ? WHERE workflow_id = ? AND status = ${STATUS.uninitialized}`,
    count,
    workflowId,
  )
}

/** Removes the stage, and the jobs that were not moved. */
export async function closeStage(db: Db, stage: number): Promise<void> {
  await db.write(() => hideWorkflow(stage, 0))
  await removeWorkflow(db, stage)
}
