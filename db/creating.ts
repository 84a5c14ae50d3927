import { hideWorkflow, removeWorkflow } from './delete-workflow.ts'
import { type Db, one, run, type Unit } from './unit.ts'

/** Thrown when a workflow in the making was taken for one that a crash had left, and removed. */
export class LostInTheMaking extends Error {
  constructor() {
    super('Cannot finish the workflow as it took too long to make and was removed: send it again')
  }
}

/**
 * Fills a workflow whose state is `creating`, then shows it in one small transaction, together with what `fill` gives for that. Whatever
 * goes wrong, the workflow is removed and the error passed on: nobody has seen it.
 */
export async function showWhenWhole(
  db: Db,
  workflowId: number,
  fill: () => Promise<() => Unit<void>>,
): Promise<number> {
  try {
    const settle = await fill()
    await db.write(function* () {
      const shown = yield* one(
        `UPDATE workflow SET state = 'live', state_since = NULL WHERE id = ? AND state = 'creating' RETURNING id`,
        workflowId,
      )
      if (shown === undefined) throw new LostInTheMaking()
      yield* settle()
    })
    return workflowId
  } catch (error) {
    await db.write(() => hideWorkflow(workflowId, 0))
    await removeWorkflow(db, workflowId)
    throw error
  }
}

/** Says that somebody still works on a workflow in the making, so that tick does not take it for one that a crash has left. */
export function* keepInTheMaking(workflowId: number, now: number): Unit<void> {
  yield* run(`UPDATE workflow SET state_since = ? WHERE id = ? AND state = 'creating'`, now, workflowId)
}
