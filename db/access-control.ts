import { type SQL, sql } from 'drizzle-orm'
import { one, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

/** For whom the access rules hold. Name null: somebody unknown, who may nothing. */
export type Subject = { name: string | null }

/** Conditions for SQL in which `workflow` is a row and `caller.name` the subject's name; null makes all of them false. */
const OWNS = 'workflow.user = caller.name'
const SHARES = `EXISTS (SELECT 1 FROM workflow_access_group AS link
  JOIN access_group_member AS member ON member.group_id = link.group_id AND member.user_name = caller.name
  WHERE link.workflow_id = workflow.id)`
const IS_SYSTEM_ADMIN = `EXISTS (SELECT 1 FROM access_group_member AS member
  JOIN access_group ON access_group.id = member.group_id AND access_group.is_system = 1
  WHERE member.user_name = caller.name)`

/** Owner, member of a linked group, or system administrator (contract/notes.md 6.2). */
export const MAY_USE = `(${OWNS} OR ${SHARES} OR ${IS_SYSTEM_ADMIN})`

/** One text per table: made once, so that the driver finds its prepared statement by a text it has seen. */
const accessTexts = new Map<string, string>()

function accessText(table: string): string {
  let text = accessTexts.get(table)
  if (text === undefined) {
    const [from, owned] =
      table === 'workflow'
        ? ['workflow', 'workflow.id = ?']
        : [`${table} AS owned, workflow`, 'owned.id = ? AND workflow.id = owned.workflow_id']
    text = `SELECT ${MAY_USE} AS allowed FROM (SELECT ? AS name) AS caller, ${from}
      WHERE ${owned} AND workflow.state IN (${VISIBLE})`
    accessTexts.set(table, text)
  }
  return text
}

/**
 * Tells by one statement whether the subject may use the workflow that a row belongs to; undefined when there is no such row.
 * `table` is `workflow` itself or one whose rows name their workflow; it never comes from a request.
 */
export function* findAccess(table: string, id: number, { name }: Subject): Unit<boolean | undefined> {
  const row = yield* one<{ allowed: number | null }>(accessText(table), name, id)
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

export function* isSystemAdmin({ name }: Subject): Unit<boolean> {
  if (name === null) return false
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

/** The workflows that a user owns or shares, for conditions of lists: found by index, whatever else the database holds. */
export const workflowsOf = ({ name }: Subject): SQL => sql`(
  SELECT id FROM workflow AS mine WHERE mine.user = ${name}
  UNION SELECT link.workflow_id FROM access_group_member AS member
    JOIN workflow_access_group AS link ON link.group_id = member.group_id WHERE member.user_name = ${name})`
