import { Hono } from 'hono'
import { hasOwnAccess } from '../../db/access-control.ts'
import { deleteLink, insertLink, type LinkRow, listGroupsOfUser, listGroupsOfWorkflow } from '../../db/access-groups.ts'
import type { Unit } from '../../db/unit.ts'
import { needOwnerOrGroupAdmin, needUser } from '../access-rules.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { groupListReply, groupPaging, groupReply, linkReply } from './access-group-reply.ts'
import { needGroup } from './access-groups.ts'
import { needWorkflow } from './guards.ts'

/** Which groups a workflow is shared with, and what a user may see (contract/notes.md 6.3). */
export function workflowAccessRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  /** Runs `change` for the workflow and the group of the path, if both exist and the caller may link them. */
  async function changeLink(
    c: AppRequest,
    change: (workflowId: number, groupId: number) => Unit<LinkRow>,
  ): Promise<Response> {
    const id = pathInteger(c, 'id')
    const groupId = pathInteger(c, 'group_id')
    const row = await db.write(function* () {
      const { user } = yield* needWorkflow(id)
      yield* needGroup(groupId)
      yield* needOwnerOrGroupAdmin(c.var.subject, user, groupId)
      return yield* change(id, groupId)
    })
    return c.json(linkReply(row))
  }

  routes.post('/workflows/:id/access_groups/:group_id', c =>
    changeLink(c, function* (id, groupId) {
      const row = yield* insertLink(id, groupId, clock())
      if (row === undefined)
        throw new AppError('conflict', `Cannot link workflow ${id} to access group ${groupId} as it is linked already`)
      return row
    }),
  )

  routes.delete('/workflows/:id/access_groups/:group_id', c =>
    changeLink(c, function* (id, groupId) {
      const row = yield* deleteLink(id, groupId)
      if (row === undefined)
        throw new AppError('not_found', `Cannot find a link of workflow ${id} to access group ${groupId}`)
      return row
    }),
  )

  routes.get('/workflows/:id/access_groups', async c => {
    const id = pathInteger(c, 'id')
    const page = groupPaging(c)
    const found = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listGroupsOfWorkflow(id, page)
    })
    return c.json(groupListReply(found, page, groupReply))
  })

  routes.get('/users/:user_name/groups', async c => {
    const user = c.req.param('user_name')
    const page = groupPaging(c)
    const found = await db.read(function* () {
      yield* needUser(c.var.subject, user)
      return yield* listGroupsOfUser(user, page)
    })
    return c.json(groupListReply(found, page, groupReply))
  })

  routes.get('/access_check/:workflow_id/:user_name', async c => {
    const workflowId = pathInteger(c, 'workflow_id')
    const user = c.req.param('user_name')
    const has_access = await db.read(function* () {
      yield* needUser(c.var.subject, user)
      return yield* hasOwnAccess(workflowId, user)
    })
    return c.json({ has_access, user_name: user, workflow_id: workflowId })
  })
  return routes
}
