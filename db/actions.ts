import { action } from './schema.ts'
import { deleteRow, insertRow, updateRow } from './table.ts'
import { all, one, run, type Unit } from './unit.ts'

export type ActionRow = typeof action.$inferSelect & {
  /** JSON list of the jobs it counts, ascending. */
  job_ids: string
}

const SELECT = `SELECT a.*, (SELECT json_group_array(job_id) FROM (SELECT job_id FROM action_job WHERE action_id = a.id ORDER BY job_id)) AS job_ids
  FROM action AS a`

export function* listActions(workflowId: number): Unit<ActionRow[]> {
  return yield* all<ActionRow>(`${SELECT} WHERE a.workflow_id = ? ORDER BY a.id`, workflowId)
}

/** Gives the actions that are due and not executed, of these trigger types or, without any, of all. */
export function* listPendingActions(workflowId: number, types: readonly string[]): Unit<ActionRow[]> {
  return yield* all<ActionRow>(
    `${SELECT} WHERE a.workflow_id = ?1 AND a.executed = 0 AND a.trigger_count >= a.required_triggers
       AND (?2 = '[]' OR a.trigger_type IN (SELECT value FROM json_each(?2))) ORDER BY a.id`,
    workflowId,
    JSON.stringify(types),
  )
}

export function* findAction(workflowId: number, id: number): Unit<ActionRow | undefined> {
  return yield* one<ActionRow>(`${SELECT} WHERE a.id = ? AND a.workflow_id = ?`, id, workflowId)
}

export function* insertAction(values: Omit<typeof action.$inferInsert, 'id'>, jobIds: readonly number[]): Unit<number> {
  const row = yield* insertRow(action, values)
  yield* run(
    'INSERT OR IGNORE INTO action_job (job_id, action_id) SELECT value, ? FROM json_each(?)',
    row.id,
    JSON.stringify(jobIds),
  )
  return row.id
}

export function* deleteAction(id: number): Unit<void> {
  yield* run('DELETE FROM action_job WHERE action_id = ?', id)
  yield* deleteRow(action, id)
}

/** Marks an action as taken by a node. A persistent one can be taken again, so it only notes the time. */
export function* claimAction(row: ActionRow, computeNodeId: number | null, executedAt: string): Unit<void> {
  if (row.persistent !== 0) yield* updateRow(action, row.id, { executed_at: executedAt })
  else yield* updateRow(action, row.id, { executed: 1, executed_at: executedAt, executed_by: computeNodeId })
}
