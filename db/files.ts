import { and, eq, sql } from 'drizzle-orm'
import { STATUS } from '../api/core/status.ts'
import { noteChangedInputs } from './input-hashes.ts'
import { contains, equals, type ListRequest, listTable, type Page } from './list.ts'
import { reserveIds } from './reserve-ids.ts'
import { insertRows } from './rows.ts'
import { file } from './schema.ts'
import { deleteRow, deleteRowsOf } from './table.ts'
import { all, run, type Unit } from './unit.ts'

export type FileRow = typeof file.$inferSelect
export type NewFileValues = { name: string; path: string; st_mtime: number | null; identifier: string | null }

const COLUMNS = ['id', 'workflow_id', 'name', 'path', 'st_mtime', 'identifier']

/** Stores files; their ids follow the order of the list. */
export function* insertFiles(workflowId: number, files: readonly NewFileValues[]): Unit<FileRow[]> {
  const first = yield* reserveIds('file', files.length)
  const unseen = { size_bytes: null, sha256: null }
  const rows = files.map(
    (values, index): FileRow => ({ id: first + index, workflow_id: workflowId, ...values, ...unseen }),
  )
  yield* insertRows(
    'file',
    COLUMNS,
    rows.map(row => [row.id, row.workflow_id, row.name, row.path, row.st_mtime, row.identifier]),
  )
  return rows
}

export type FileFilter = {
  workflow_id: number
  name?: string
  path?: string
  produced_by_job_id?: number
  is_output?: boolean
}

const SORTS = { id: file.id, workflow_id: file.workflow_id, name: file.name, path: file.path, st_mtime: file.st_mtime }

export function* listFiles(filter: FileFilter, request: ListRequest): Unit<Page<FileRow>> {
  const { workflow_id, name, path, produced_by_job_id: producer } = filter
  const where = and(
    eq(file.workflow_id, workflow_id),
    equals(file.name, name),
    contains(file.path, path),
    producer === undefined
      ? undefined
      : sql`${file.id} IN (SELECT file_id FROM job_file WHERE job_id = ${producer} AND is_output = 1)`,
    // false is no filter: clients rely on it (contract/notes.md 2.3).
    filter.is_output
      ? sql`EXISTS (SELECT 1 FROM job_file l WHERE l.file_id = ${file.id} AND l.is_output = 1)`
      : undefined,
  )
  return yield* listTable(file, where, request, SORTS)
}

export function* deleteFile(id: number): Unit<void> {
  yield* noteChangedInputs('SELECT job_id FROM job_file WHERE file_id = ?', id)
  yield* run('DELETE FROM job_file WHERE file_id = ?', id)
  yield* run('UPDATE ro_crate_entity SET file_id = NULL WHERE file_id = ?', id)
  yield* deleteRow(file, id)
}

/** Removes the files of a workflow with all links to them and tells how many there were. */
export function* deleteFiles(workflowId: number): Unit<number> {
  yield* noteChangedInputs(
    'SELECT job_id FROM job_file WHERE file_id IN (SELECT id FROM file WHERE workflow_id = ?)',
    workflowId,
  )
  yield* run('DELETE FROM job_file WHERE file_id IN (SELECT id FROM file WHERE workflow_id = ?)', workflowId)
  yield* run('UPDATE ro_crate_entity SET file_id = NULL WHERE workflow_id = ?', workflowId)
  return yield* deleteRowsOf(file, workflowId)
}

/** Files that must be on the disk: inputs that no job makes, and outputs of completed jobs. Ids ascending. */
export function* listRequiredFiles(workflowId: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `SELECT f.id FROM file AS f WHERE f.workflow_id = ?1 AND (
       (EXISTS (SELECT 1 FROM job_file WHERE file_id = f.id AND is_output = 0)
         AND NOT EXISTS (SELECT 1 FROM job_file WHERE file_id = f.id AND is_output = 1))
       OR EXISTS (SELECT 1 FROM job_file AS l JOIN job AS j ON j.id = l.job_id AND j.status = ${STATUS.completed} WHERE l.file_id = f.id AND l.is_output = 1)
     ) ORDER BY f.id`,
    workflowId,
  )
  return rows.map(row => row.id)
}
