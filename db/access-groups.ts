import { all, one, run, type SqlValue, type Unit } from './unit.ts'

export type Role = 'member' | 'admin'
export type GroupRow = {
  id: number
  name: string
  description: string | null
  is_system: number
  created_at: number
}
export type MemberRow = { id: number; group_id: number; user_name: string; role: Role; created_at: number }
export type LinkRow = { workflow_id: number; group_id: number; created_at: number }

/** The group whose members administer the server. */
export const ADMIN_GROUP = 'admin'

type PageRequest = { offset: number; limit: number }
export type GroupPage<Row> = { rows: Row[]; total: number }

/** One page of what `from` selects; `columns` and `order` are of it. */
function* pageOf<Row>(
  { columns, from, order }: { columns: string; from: string; order: string },
  { limit, offset }: PageRequest,
  ...args: SqlValue[]
): Unit<GroupPage<Row>> {
  const counted = yield* one<{ n: number }>(`SELECT count(*) AS n ${from}`, ...args)
  const rows = yield* all<Row>(`SELECT ${columns} ${from} ORDER BY ${order} LIMIT ? OFFSET ?`, ...args, limit, offset)
  return { rows, total: counted?.n ?? 0 }
}

/** Stores a group; undefined when there is one of this name. */
export function* insertGroup(name: string, description: string | null, now: number): Unit<GroupRow | undefined> {
  return yield* one<GroupRow>(
    'INSERT INTO access_group (name, description, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING *',
    name,
    description,
    now,
  )
}

export function* findGroup(id: number): Unit<GroupRow | undefined> {
  return yield* one<GroupRow>('SELECT * FROM access_group WHERE id = ?', id)
}

/** Removes a group with its memberships and links. */
export function* deleteGroup(id: number): Unit<void> {
  yield* run('DELETE FROM workflow_access_group WHERE group_id = ?', id)
  yield* run('DELETE FROM access_group_member WHERE group_id = ?', id)
  yield* run('DELETE FROM access_group WHERE id = ?', id)
}

const GROUPS = { columns: 'access_group.*', order: 'access_group.name' }

export function* listGroups(page: PageRequest): Unit<GroupPage<GroupRow>> {
  return yield* pageOf<GroupRow>({ ...GROUPS, from: 'FROM access_group' }, page)
}

export function* listGroupsOfUser(user: string, page: PageRequest): Unit<GroupPage<GroupRow>> {
  const from =
    'FROM access_group JOIN access_group_member AS member ON member.group_id = access_group.id AND member.user_name = ?'
  return yield* pageOf<GroupRow>({ ...GROUPS, from }, page, user)
}

export function* listGroupsOfWorkflow(workflowId: number, page: PageRequest): Unit<GroupPage<GroupRow>> {
  const from =
    'FROM access_group JOIN workflow_access_group AS link ON link.group_id = access_group.id AND link.workflow_id = ?'
  return yield* pageOf<GroupRow>({ ...GROUPS, from }, page, workflowId)
}

/** Stores a membership; undefined when the user is in the group already. */
export function* insertMember(groupId: number, user: string, role: Role, now: number): Unit<MemberRow | undefined> {
  return yield* one<MemberRow>(
    `INSERT INTO access_group_member (group_id, user_name, role, created_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING RETURNING *`,
    groupId,
    user,
    role,
    now,
  )
}

/** Removes a membership and gives it back; undefined when there was none. */
export function* deleteMember(groupId: number, user: string): Unit<MemberRow | undefined> {
  return yield* one<MemberRow>(
    'DELETE FROM access_group_member WHERE group_id = ? AND user_name = ? RETURNING *',
    groupId,
    user,
  )
}

export function* listMembers(groupId: number, page: PageRequest): Unit<GroupPage<MemberRow>> {
  const from = 'FROM access_group_member WHERE group_id = ?'
  return yield* pageOf<MemberRow>({ columns: '*', from, order: 'user_name' }, page, groupId)
}

/** Links a workflow to a group; undefined when it is linked already. */
export function* insertLink(workflowId: number, groupId: number, now: number): Unit<LinkRow | undefined> {
  return yield* one<LinkRow>(
    'INSERT INTO workflow_access_group VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING *',
    workflowId,
    groupId,
    now,
  )
}

/** Removes a link and gives it back; undefined when there was none. */
export function* deleteLink(workflowId: number, groupId: number): Unit<LinkRow | undefined> {
  return yield* one<LinkRow>(
    'DELETE FROM workflow_access_group WHERE workflow_id = ? AND group_id = ? RETURNING *',
    workflowId,
    groupId,
  )
}

export type NamedGroup = { name: string; id: number | null; is_member: number }

/** For each name the group it means, null when there is none, and whether the user is a member of it. */
export function* resolveGroups(names: readonly string[], user: string | null): Unit<NamedGroup[]> {
  return yield* all<NamedGroup>(
    `SELECT wanted.value AS name, access_group.id AS id, member.id IS NOT NULL AS is_member
     FROM json_each(?) AS wanted
     LEFT JOIN access_group ON access_group.name = wanted.value
     LEFT JOIN access_group_member AS member ON member.group_id = access_group.id AND member.user_name = ?
     ORDER BY wanted.key`,
    JSON.stringify(names),
    user,
  )
}

/**
 * Makes the group of system administrators and gives it exactly these members (contract/notes.md 6.2). A group that somebody has made
 * under its name becomes it, and loses the members it had.
 */
export function* syncSystemAdmins(users: readonly string[], now: number): Unit<void> {
  yield* run(
    `INSERT INTO access_group (name, description, is_system, created_at) VALUES (?, 'System administrators', 1, ?)
     ON CONFLICT (name) DO UPDATE SET is_system = 1`,
    ADMIN_GROUP,
    now,
  )
  const group = yield* one<{ id: number }>('SELECT id FROM access_group WHERE name = ?', ADMIN_GROUP)
  const names = JSON.stringify(users)
  yield* run(
    'DELETE FROM access_group_member WHERE group_id = ? AND user_name NOT IN (SELECT value FROM json_each(?))',
    group!.id,
    names,
  )
  yield* run(
    `INSERT INTO access_group_member (group_id, user_name, role, created_at)
     SELECT ?, value, 'admin', ? FROM json_each(?) WHERE true ON CONFLICT (group_id, user_name) DO UPDATE SET role = 'admin'`,
    group!.id,
    now,
    names,
  )
}
