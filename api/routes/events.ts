import { Hono } from 'hono'
import { type EventRow, listEvents, recordEvent } from '../../db/events.ts'
import { event } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { EventData, NewEvent } from '../contract/event.ts'
import { EVENT_FILTERS as FILTERS } from '../contract/filters.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'

export const reply = (row: EventRow) => ({ ...row, data: JSON.parse(row.data) as unknown })

/** Events that clients store and read; what happens to jobs stands in the stream. */
export function eventRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/events', async c => {
    const { workflow_id, data } = await readBody(c, NewEvent)
    return createOnce(c, services, function* () {
      yield* needWorkflow(workflow_id)
      return reply(yield* recordEvent(workflow_id, clock(), data ?? null))
    })
  })

  routes.get('/events', c => answerList(c, db, FILTERS, listEvents, reply))

  routes.put('/events/:id', async c => {
    const id = pathInteger(c, 'id')
    const data = await readBody(c, EventData)
    const row = await db.write(function* () {
      yield* needRow(event, 'Event', id)
      return yield* updateRow(event, id, { data: JSON.stringify(data) })
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, { path: '/events', noun: 'Event', table: event, reply })
  return routes
}
