import { STATUS } from '../api/core/status.ts'
import { hideWorkflow, removeWorkflow } from './delete-workflow.ts'
import { all, type Db, one, type Unit } from './unit.ts'

/** A workflow that has been over for long. */
export type OldWorkflow = { id: number; name: string; user: string; jobs: number; last_change: number }

const COMPLETE = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated].join()
/** Workflows looked at in one go; each is removed in short transactions of its own. */
const MOST = 100

/**
 * Names workflows whose jobs are all complete and in which nothing has happened since `before` (epoch milliseconds), the oldest first.
 * The newest event of a workflow is kept however old it is, so that it tells when that was. One without jobs is somebody's beginning.
 */
export function* listOldWorkflows(before: number, limit = MOST): Unit<OldWorkflow[]> {
  return yield* all<OldWorkflow>(`${oldAmong('')} ORDER BY last_change, id LIMIT ?2`, before, limit)
}

/** Hides the workflow if it is still old; somebody may have begun it anew since it was listed. */
function* hideIfOld(id: number, before: number, now: number): Unit<boolean> {
  const isOld = (yield* one(oldAmong('AND w.id = ?2'), before, id)) !== undefined
  if (isOld) yield* hideWorkflow(id, now)
  return isOld
}

/** The old ones of those workflows `w` for which a condition holds as well; ?1 is the moment. */
const oldAmong = (condition: string): string => `
    SELECT id, name, user, jobs, last_change FROM (
       SELECT w.id, w.name, w.user, w.created_at,
         (SELECT sum(n) FROM workflow_count WHERE workflow_id = w.id) AS jobs,
         (SELECT ifnull(sum(n), 0) FROM workflow_count WHERE workflow_id = w.id
            AND status NOT IN (${COMPLETE})) AS unfinished,
         max(w.created_at, ifnull((SELECT at FROM stream_event WHERE workflow_id = w.id ORDER BY seq DESC LIMIT 1), 0)) AS last_change
       FROM workflow w WHERE w.state = 'live' AND w.created_at < ?1 ${condition})
     WHERE jobs > 0 AND unfinished = 0 AND last_change < ?1`

/** Removes them with all they have, jobs, results and events. Returns what was removed. */
export async function purgeOldWorkflows(db: Db, before: number, now: number): Promise<OldWorkflow[]> {
  const removed: OldWorkflow[] = []
  while (true) {
    const old = await db.read(() => listOldWorkflows(before))
    if (old.length === 0) return removed
    for (const workflow of old) {
      if (!(await db.write(() => hideIfOld(workflow.id, before, now)))) continue
      await removeWorkflow(db, workflow.id)
      removed.push(workflow)
    }
  }
}
