import { and, eq, sql } from 'drizzle-orm'
import { STATUS } from '../api/core/status.ts'
import { noteChangedInputs } from './input-hashes.ts'
import { contains, equals, type ListRequest, listTable, type Page } from './list.ts'
import { reserveIds } from './reserve-ids.ts'
import { insertRows } from './rows.ts'
import { userData } from './schema.ts'
import { deleteRow, deleteRowsOf } from './table.ts'
import { all, run, type Unit } from './unit.ts'

export type UserDataRow = typeof userData.$inferSelect
/** `data` is the text of any JSON value. */
export type NewUserDataValues = { name: string; is_ephemeral: number; data: string | null }

const COLUMNS = ['id', 'workflow_id', 'name', 'is_ephemeral', 'data']

/** Stores user data; their ids follow the order of the list. */
export function* insertUserData(workflowId: number, items: readonly NewUserDataValues[]): Unit<UserDataRow[]> {
  const first = yield* reserveIds('user_data', items.length)
  const rows = items.map((values, index): UserDataRow => ({ id: first + index, workflow_id: workflowId, ...values }))
  yield* insertRows(
    'user_data',
    COLUMNS,
    rows.map(row => [row.id, row.workflow_id, row.name, row.is_ephemeral, row.data]),
  )
  return rows
}

/** Names the item as an input or an output of a job. */
export function* linkUserData(jobId: number, userDataId: number, isOutput: boolean): Unit<void> {
  yield* run(
    'INSERT OR IGNORE INTO job_user_data (job_id, is_output, user_data_id) VALUES (?, ?, ?)',
    jobId,
    Number(isOutput),
    userDataId,
  )
}

export type UserDataFilter = {
  workflow_id: number
  consumer_job_id?: number
  producer_job_id?: number
  name?: string
  is_ephemeral?: boolean
}

const SORTS = {
  id: userData.id,
  workflow_id: userData.workflow_id,
  name: userData.name,
  is_ephemeral: userData.is_ephemeral,
  data: userData.data,
}

export function* listUserData(filter: UserDataFilter, request: ListRequest): Unit<Page<UserDataRow>> {
  const linkedTo = (jobId: number | undefined, isOutput: number) =>
    jobId === undefined
      ? undefined
      : sql`${userData.id} IN (SELECT user_data_id FROM job_user_data WHERE job_id = ${jobId} AND is_output = ${isOutput})`
  const where = and(
    eq(userData.workflow_id, filter.workflow_id),
    linkedTo(filter.consumer_job_id, 0),
    linkedTo(filter.producer_job_id, 1),
    contains(userData.name, filter.name),
    equals(userData.is_ephemeral, filter.is_ephemeral === undefined ? undefined : Number(filter.is_ephemeral)),
  )
  return yield* listTable(userData, where, request, SORTS)
}

export function* deleteUserData(id: number): Unit<void> {
  yield* noteChangedInputs('SELECT job_id FROM job_user_data WHERE user_data_id = ?', id)
  yield* run('DELETE FROM job_user_data WHERE user_data_id = ?', id)
  yield* deleteRow(userData, id)
}

/** Removes the user data of a workflow with all links to them and tells how many there were. */
export function* deleteAllUserData(workflowId: number): Unit<number> {
  yield* noteChangedInputs(
    'SELECT job_id FROM job_user_data WHERE user_data_id IN (SELECT id FROM user_data WHERE workflow_id = ?)',
    workflowId,
  )
  yield* run(
    'DELETE FROM job_user_data WHERE user_data_id IN (SELECT id FROM user_data WHERE workflow_id = ?)',
    workflowId,
  )
  return yield* deleteRowsOf(userData, workflowId)
}

/** User data without data: inputs that no job makes, and outputs of completed jobs. Ids ascending. */
export function* listMissingUserData(workflowId: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `SELECT u.id FROM user_data AS u WHERE u.workflow_id = ? AND u.data IS NULL AND (
       (EXISTS (SELECT 1 FROM job_user_data WHERE user_data_id = u.id AND is_output = 0)
         AND NOT EXISTS (SELECT 1 FROM job_user_data WHERE user_data_id = u.id AND is_output = 1))
       OR EXISTS (SELECT 1 FROM job_user_data AS l JOIN job AS j ON j.id = l.job_id AND j.status = ${STATUS.completed}
         WHERE l.user_data_id = u.id AND l.is_output = 1)
     ) ORDER BY u.id`,
    workflowId,
  )
  return rows.map(row => row.id)
}
