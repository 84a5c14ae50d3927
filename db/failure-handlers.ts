import { eq } from 'drizzle-orm'
import { type ListRequest, listTable, type Page } from './list.ts'
import { failureHandler } from './schema.ts'
import { deleteRow } from './table.ts'
import { all, run, type Unit } from './unit.ts'

type FailureHandlerRow = typeof failureHandler.$inferSelect

export function* listFailureHandlers(workflowId: number, request: ListRequest): Unit<Page<FailureHandlerRow>> {
  return yield* listTable(failureHandler, eq(failureHandler.workflow_id, workflowId), request)
}

/** Gives those of the ids that are failure handlers of this workflow. */
export function* failureHandlersAmong(workflowId: number, ids: readonly number[]): Unit<Set<number>> {
  const rows = yield* all<{ id: number }>(
    'SELECT id FROM failure_handler WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))',
    workflowId,
    JSON.stringify(ids),
  )
  return new Set(rows.map(row => row.id))
}

/** Removes a handler; its jobs go on without one. */
export function* deleteFailureHandler(workflowId: number, id: number): Unit<void> {
  yield* run(
    `UPDATE job_text SET failure_handler_id = NULL
     WHERE id IN (SELECT id FROM job WHERE workflow_id = ?) AND failure_handler_id = ?`,
    workflowId,
    id,
  )
  yield* deleteRow(failureHandler, id)
}
