import type { InferSelectModel } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { findJob, type JobRow } from '../../db/jobs.ts'
import { findProgress, type Progress } from '../../db/progress.ts'
import { findRow } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import { findWorkflow, type WorkflowRow } from '../../db/workflows.ts'
import { missing } from '../errors.ts'

/** What an operation names has to exist before any other rule is looked at (contract/notes.md 4): these end with 404. */

export function* needWorkflow(id: number): Unit<WorkflowRow> {
  const row = yield* findWorkflow(id)
  if (row === undefined) throw missing('Workflow', id)
  return row
}

export function* needJob(id: number): Unit<JobRow> {
  const row = yield* findJob(id)
  if (row === undefined) throw missing('Job', id)
  return row
}

/** How far the workflow is, without its other columns. */
export function* needProgress(id: number): Unit<Progress> {
  const progress = yield* findProgress(id)
  if (progress === undefined) throw missing('Workflow', id)
  return progress
}

/** `noun` names the resource in the message: "File". */
export function* needRow<T extends SQLiteTable & { id: SQLiteColumn; workflow_id: SQLiteColumn }>(
  table: T,
  noun: string,
  id: number,
): Unit<InferSelectModel<T>> {
  const row = yield* findRow(table, id)
  if (row === undefined) throw missing(noun, id)
  return row
}
