import { and, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { one, type SqlValue, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

/** For whom the access rules hold. */
export type Subject = {
  /** The user whose rights count; null: somebody unknown, who has none. */
  name: string | null
  /** It has every right inside its fence, whoever it is: a token of nobody in particular, or a server without rules. */
  hasAllRights?: boolean
  /** Absent: everywhere. */
  fence?: Fence
}

/** Where a token opens: one workflow, the workflows of one project, or what is both; null: no bound. */
export type Fence = { workflowId: number | null; project: string | null }

/** Conditions for SQL in which `workflow` is a row and `caller` the subject; a name that is null makes the first three false. */
const OWNS = 'workflow.user = caller.name'
const SHARES = `EXISTS (SELECT 1 FROM workflow_access_group AS link
  JOIN access_group_member AS member ON member.group_id = link.group_id AND member.user_name = caller.name
  WHERE link.workflow_id = workflow.id)`
const IS_SYSTEM_ADMIN = `EXISTS (SELECT 1 FROM access_group_member AS member
  JOIN access_group ON access_group.id = member.group_id AND access_group.is_system = 1
  WHERE member.user_name = caller.name)`
const IN_FENCE = `(caller.workflow_id IS NULL OR caller.workflow_id = workflow.id)
  AND (caller.project IS NULL OR caller.project = workflow.project)`

/** Owner, member of a linked group, or system administrator (contract/notes.md 6.2), and inside the fence. */
export const MAY_USE = `(caller.has_all_rights OR ${OWNS} OR ${SHARES} OR ${IS_SYSTEM_ADMIN}) AND ${IN_FENCE}`

/** The subject as a table of one row, for the FROM of a statement with these conditions; its parameters are `callerArgs`. */
export const CALLER = '(SELECT ? AS name, ? AS has_all_rights, ? AS workflow_id, ? AS project) AS caller'

export const callerArgs = ({ name, hasAllRights = false, fence }: Subject): SqlValue[] => [
  name,
  Number(hasAllRights),
  fence?.workflowId ?? null,
  fence?.project ?? null,
]

/** One text per table: made once, so that the driver finds its prepared statement by a text it has seen. */
const accessTexts = new Map<string, string>()

function accessText(table: string): string {
  let text = accessTexts.get(table)
  if (text === undefined) {
    const [from, owned] =
      table === 'workflow'
        ? ['workflow', 'workflow.id = ?']
        : [`${table} AS owned, workflow`, 'owned.id = ? AND workflow.id = owned.workflow_id']
    text = `SELECT ${MAY_USE} AS allowed FROM ${CALLER}, ${from}
      WHERE ${owned} AND workflow.state IN (${VISIBLE})`
    accessTexts.set(table, text)
  }
  return text
}

/**
 * Tells by one statement whether the subject may use the workflow that a row belongs to; undefined when there is no such row.
 * `table` is `workflow` itself or one whose rows name their workflow; it never comes from a request.
 */
export function* findAccess(table: string, id: number, subject: Subject): Unit<boolean | undefined> {
  const row = yield* one<{ allowed: number | null }>(accessText(table), ...callerArgs(subject), id)
  return row && row.allowed === 1
}

/** Whether this user owns the workflow or is a member of a group linked to it; being an administrator does not count (6.2). */
export function* hasOwnAccess(workflowId: number, user: string): Unit<boolean> {
  const row = yield* one(
    `SELECT 1 FROM (SELECT ? AS name) AS caller, workflow
     WHERE workflow.id = ? AND workflow.state IN (${VISIBLE}) AND (${OWNS} OR ${SHARES})`,
    user,
    workflowId,
  )
  return row !== undefined
}

/** Whoever is inside a fence administers nothing: that concerns the whole server. */
export function* isSystemAdmin({ name, fence }: Subject): Unit<boolean> {
  if (name === null || fence !== undefined) return false
  const row = yield* one(`SELECT 1 FROM (SELECT ? AS name) AS caller WHERE ${IS_SYSTEM_ADMIN}`, name)
  return row !== undefined
}

/** Whether the subject administers the group; members with the role `member` do not. */
export function* isGroupAdmin(groupId: number, { name }: Subject): Unit<boolean> {
  const row = yield* one(
    `SELECT 1 FROM access_group_member WHERE group_id = ? AND user_name = ? AND role = 'admin'`,
    groupId,
    name,
  )
  return row !== undefined
}

/** The workflows a subject may use, as a condition on the column that holds their ids; undefined: all. Found by index. */
export function* mayUse(id: SQLiteColumn, subject: Subject | undefined): Unit<SQL | undefined> {
  if (subject === undefined) return undefined
  const { name, fence, hasAllRights } = subject
  const seesAll = hasAllRights || (yield* isSystemAdmin({ name }))
  const rights = seesAll ? undefined : sql`${id} IN ${workflowsOf(name)}`
  const workflow = fence?.workflowId == null ? undefined : sql`${id} = ${fence.workflowId}`
  const project =
    fence?.project == null
      ? undefined
      : sql`${id} IN (SELECT inside.id FROM workflow AS inside WHERE inside.project = ${fence.project})`
  return and(rights, workflow, project)
}

/** The workflows that a user owns or shares. */
const workflowsOf = (name: string | null): SQL => sql`(
  SELECT id FROM workflow AS mine WHERE mine.user = ${name}
  UNION SELECT link.workflow_id FROM access_group_member AS member
    JOIN workflow_access_group AS link ON link.group_id = member.group_id WHERE member.user_name = ${name})`
