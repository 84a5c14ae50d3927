import { sql } from 'drizzle-orm'
import { type ListRequest, listSelection, type Page } from './list.ts'
import type { Unit } from './unit.ts'

export type DependencyRow = {
  job_id: number
  job_name: string
  depends_on_job_id: number
  depends_on_job_name: string
  workflow_id: number
}

/** Which job waits for which. Edges through files and user data exist once the workflow has been initialized. */
export function* listJobDependencies(workflowId: number, request: ListRequest): Unit<Page<DependencyRow>> {
  const selection = sql`
    SELECT j.id AS job_id, t.name AS job_name, e.depends_on_job_id, d.name AS depends_on_job_name, j.workflow_id
    FROM job AS j CROSS JOIN job_text AS t ON t.id = j.id CROSS JOIN job_edge AS e ON e.job_id = j.id
    CROSS JOIN job_text AS d ON d.id = e.depends_on_job_id WHERE j.workflow_id = ${workflowId}`
  return yield* listSelection<DependencyRow>(
    selection,
    ['job_id', 'job_name', 'depends_on_job_id', 'depends_on_job_name', 'workflow_id'],
    ['job_id', 'depends_on_job_id'],
    request,
  )
}

/** One producer and one consumer of an item; a side that nobody is on is null. */
type Sides = {
  workflow_id: number
  producer_job_id: number | null
  producer_job_name: string | null
  consumer_job_id: number | null
  consumer_job_name: string | null
}
export type FileRelationshipRow = Sides & { file_id: number; file_name: string; file_path: string }
export type UserDataRelationshipRow = Sides & { user_data_id: number; user_data_name: string }

const SIDES = ['workflow_id', 'producer_job_id', 'producer_job_name', 'consumer_job_id', 'consumer_job_name'] as const

/** A file that nobody makes or reads has no row. */
export function* listFileRelationships(workflowId: number, request: ListRequest): Unit<Page<FileRelationshipRow>> {
  const selection = sql`
    SELECT f.id AS file_id, f.name AS file_name, f.path AS file_path, ${sidesOf('file', 'file_id')} AND f.workflow_id = ${workflowId}`
  return yield* listSelection<FileRelationshipRow>(
    selection,
    ['file_id', 'file_name', 'file_path', ...SIDES],
    ['file_id', 'producer_job_id', 'consumer_job_id'],
    request,
  )
}

/** The same for user data. */
export function* listUserDataRelationships(
  workflowId: number,
  request: ListRequest,
): Unit<Page<UserDataRelationshipRow>> {
  const selection = sql`
    SELECT f.id AS user_data_id, f.name AS user_data_name, ${sidesOf('user_data', 'user_data_id')} AND f.workflow_id = ${workflowId}`
  return yield* listSelection<UserDataRelationshipRow>(
    selection,
    ['user_data_id', 'user_data_name', ...SIDES],
    ['user_data_id', 'producer_job_id', 'consumer_job_id'],
    request,
  )
}

/** The rest of such a SELECT, from the columns of both sides to the condition that one is there; `f` is the item. */
function sidesOf(table: 'file' | 'user_data', item: 'file_id' | 'user_data_id') {
  return sql.raw(`f.workflow_id, o.job_id AS producer_job_id, p.name AS producer_job_name,
      i.job_id AS consumer_job_id, c.name AS consumer_job_name
    FROM ${table} AS f
    LEFT JOIN job_${table} AS o ON o.${item} = f.id AND o.is_output = 1 LEFT JOIN job_text AS p ON p.id = o.job_id
    LEFT JOIN job_${table} AS i ON i.${item} = f.id AND i.is_output = 0 LEFT JOIN job_text AS c ON c.id = i.job_id
    WHERE (o.job_id IS NOT NULL OR i.job_id IS NOT NULL)`)
}
