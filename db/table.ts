import { getTableName, type InferInsertModel, type InferSelectModel } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { all, one, run, type SqlValue, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

/** The four plain statements on one row of a table that belongs to a workflow. */

type OwnedTable = SQLiteTable & { id: SQLiteColumn; workflow_id: SQLiteColumn }

/** Stores a row and gives it back with its id and defaults. */
export function* insertRow<T extends SQLiteTable>(
  table: T,
  values: Partial<InferInsertModel<T>>,
): Unit<InferSelectModel<T>> {
  const given = assigned(values)
  const row = yield* one<InferSelectModel<T>>(
    `INSERT INTO ${getTableName(table)} (${given.map(([name]) => name).join(', ')})
     VALUES (${given.map(() => '?').join(', ')}) RETURNING *`,
    ...given.map(([, value]) => value),
  )
  return row!
}

/** Finds a row by its id, unless its workflow is hidden (being created or deleted). */
export function* findRow<T extends OwnedTable>(table: T, id: number): Unit<InferSelectModel<T> | undefined> {
  const name = getTableName(table)
  return yield* one<InferSelectModel<T>>(
    `SELECT t.* FROM ${name} AS t JOIN workflow AS w ON w.id = t.workflow_id AND w.state IN (${VISIBLE}) WHERE t.id = ?`,
    id,
  )
}

/** Changes the named columns of a row and gives it back; without any, just gives it. The row must exist. */
export function* updateRow<T extends SQLiteTable & { id: SQLiteColumn }>(
  table: T,
  id: number,
  values: Partial<InferInsertModel<T>>,
): Unit<InferSelectModel<T>> {
  const given = assigned(values)
  const name = getTableName(table)
  const row =
    given.length === 0
      ? yield* one<InferSelectModel<T>>(`SELECT * FROM ${name} WHERE id = ?`, id)
      : yield* one<InferSelectModel<T>>(
          `UPDATE ${name} SET ${given.map(([column]) => `${column} = ?`).join(', ')} WHERE id = ? RETURNING *`,
          ...given.map(([, value]) => value),
          id,
        )
  return row!
}

export function* deleteRow(table: OwnedTable, id: number): Unit<void> {
  yield* run(`DELETE FROM ${getTableName(table)} WHERE id = ?`, id)
}

/** Removes the rows a workflow has in a table and tells how many there were. */
export function* deleteRowsOf(table: SQLiteTable & { workflow_id: SQLiteColumn }, workflowId: number): Unit<number> {
  const gone = yield* all<unknown>(`DELETE FROM ${getTableName(table)} WHERE workflow_id = ? RETURNING 1`, workflowId)
  return gone.length
}

/** Column names come from the table's type, never from a request. Undefined means: leave alone. */
function assigned(values: Readonly<Record<string, unknown>>): [string, SqlValue][] {
  return Object.entries(values).filter(([, value]) => value !== undefined) as [string, SqlValue][]
}
