import { Hono } from 'hono'
import { deleteFailureHandler, listFailureHandlers } from '../../db/failure-handlers.ts'
import { failureHandler } from '../../db/schema.ts'
import { insertRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewFailureHandler } from '../contract/failure-handler.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerListBelow } from './lists.ts'

export function failureHandlerRoutes(services: Services): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()

  routes.post('/failure_handlers', async c => {
    const { workflow_id, name, rules } = await readBody(c, NewFailureHandler)
    return createOnce(c, services, function* () {
      yield* needWorkflow(workflow_id)
      return yield* insertRow(failureHandler, { workflow_id, name, rules })
    })
  })

  routes.get('/workflows/:id/failure_handlers', c => answerListBelow(c, db, listFailureHandlers, row => row))

  routes.get('/failure_handlers/:id', async c => {
    const id = pathInteger(c, 'id')
    return c.json(await db.read(() => needRow(failureHandler, 'Failure handler', id)))
  })

  routes.delete('/failure_handlers/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      const found = yield* needRow(failureHandler, 'Failure handler', id)
      yield* deleteFailureHandler(found.workflow_id, id)
      return found
    })
    // The contract names the model, older servers sent a message: both (contract/notes.md 5).
    return c.json({ ...row, message: `Deleted failure handler ${id}` })
  })
  return routes
}
