import { Hono } from 'hono'
import {
  deleteGroup,
  deleteMember,
  findGroup,
  type GroupRow,
  insertGroup,
  insertMember,
  listGroups,
  listMembers,
} from '../../db/access-groups.ts'
import type { Unit } from '../../db/unit.ts'
import { needGroupAdmin, needSystemAdmin } from '../access-rules.ts'
import { check, readBody, readJson } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewAccessGroup, NewMembership } from '../contract/access-group.ts'
import { AppError, missing } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { groupListReply, groupPaging, groupReply, memberReply } from './access-group-reply.ts'

/** Groups and who is in them (contract/notes.md 6.3). */
export function accessGroupRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/access_groups', async c => {
    const body = await readBody(c, NewAccessGroup)
    return createOnce(c, services, function* () {
      yield* needSystemAdmin(c.var.subject)
      const row = yield* insertGroup(body.name, body.description ?? null, clock())
      if (row === undefined)
        throw new AppError('conflict', 'Cannot create the access group as there is one of this name', { field: 'name' })
      return groupReply(row)
    })
  })

  routes.get('/access_groups', async c => {
    const page = groupPaging(c)
    const found = await db.read(function* () {
      yield* needSystemAdmin(c.var.subject)
      return yield* listGroups(page)
    })
    return c.json(groupListReply(found, page, groupReply))
  })

  routes.get('/access_groups/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.read(function* () {
      const found = yield* needGroup(id)
      yield* needSystemAdmin(c.var.subject)
      return found
    })
    return c.json(groupReply(row))
  })

  routes.delete('/access_groups/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      const found = yield* needOrdinaryGroup(id)
      yield* needSystemAdmin(c.var.subject)
      yield* deleteGroup(id)
      return found
    })
    return c.json(groupReply(row))
  })

  routes.get('/access_groups/:id/members', async c => {
    const id = pathInteger(c, 'id')
    const page = groupPaging(c)
    const found = await db.read(function* () {
      yield* needGroup(id)
      yield* needSystemAdmin(c.var.subject)
      return yield* listMembers(id, page)
    })
    return c.json(groupListReply(found, page, memberReply))
  })

  routes.post('/access_groups/:id/members', async c => {
    const id = pathInteger(c, 'id')
    const body = await readJson(c)
    return createOnce(c, services, function* () {
      yield* needOrdinaryGroup(id)
      yield* needGroupAdmin(c.var.subject, id)
      const { user_name, role } = check(NewMembership, body)
      const row = yield* insertMember(id, user_name, role, clock())
      if (row === undefined)
        throw new AppError('conflict', `Cannot add the user as access group ${id} has them already`, {
          field: 'user_name',
        })
      return memberReply(row)
    })
  })

  routes.delete('/access_groups/:id/members/:user_name', async c => {
    const id = pathInteger(c, 'id')
    const user = c.req.param('user_name')
    const row = await db.write(function* () {
      yield* needOrdinaryGroup(id)
      yield* needGroupAdmin(c.var.subject, id)
      const removed = yield* deleteMember(id, user)
      if (removed === undefined) throw new AppError('not_found', `Cannot find such a member in access group ${id}`)
      return removed
    })
    return c.json(memberReply(row))
  })
  return routes
}

export function* needGroup(id: number): Unit<GroupRow> {
  const row = yield* findGroup(id)
  if (row === undefined) throw missing('Access group', id)
  return row
}

/** The group of system administrators follows the server's start options alone, whatever the rules are. */
function* needOrdinaryGroup(id: number): Unit<GroupRow> {
  const row = yield* needGroup(id)
  if (row.is_system === 0) return row
  throw new AppError(
    'forbidden',
    `Cannot change access group ${id} as it is the system's: the server's options name its members`,
  )
}
