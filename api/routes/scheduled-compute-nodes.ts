import { Hono } from 'hono'
import { listScheduledComputeNodes, type ScheduledComputeNodeRow } from '../../db/scheduled-compute-nodes.ts'
import { scheduledComputeNode } from '../../db/schema.ts'
import { appendEvents } from '../../db/stream-events.ts'
import { insertRow, updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { SCHEDULED_NODE_FILTERS as FILTERS } from '../contract/filters.ts'
import { NewScheduledComputeNode, ScheduledComputeNodeChange } from '../contract/scheduled-compute-node.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger, type Query } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'

/** The two ids are texts in the contract, compared as numbers. */
const reply = (row: ScheduledComputeNodeRow) => row

/** A text that is no number matches nothing: no id is negative. */
const idOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : /^\d{1,15}$/.test(text) ? Number(text) : -1

const filterOf = (query: Query<typeof FILTERS>) => ({
  workflow_id: query.workflow_id,
  scheduler_id: idOf(query.scheduler_id),
  scheduler_config_id: idOf(query.scheduler_config_id),
  status: query.status,
})

export function scheduledComputeNodeRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/scheduled_compute_nodes', async c => {
    const { workflow_id, scheduler_id, scheduler_config_id, scheduler_type, status } = await readBody(
      c,
      NewScheduledComputeNode,
    )
    return createOnce(c, services, function* () {
      yield* needWorkflow(workflow_id)
      const values = { workflow_id, scheduler_id, scheduler_config_id, scheduler_type, status }
      const row = yield* insertRow(scheduledComputeNode, values)
      const data = {
        category: 'scheduler',
        scheduled_compute_node_id: row.id,
        scheduler_id,
        scheduler_config_id,
        scheduler_type,
        status,
      }
      yield* appendEvents(workflow_id, clock(), [{ type: 'scheduler_node_created', data }])
      return reply(row)
    })
  })

  routes.get('/scheduled_compute_nodes', c =>
    answerList(c, db, FILTERS, (query, request) => listScheduledComputeNodes(filterOf(query), request), reply),
  )

  routes.put('/scheduled_compute_nodes/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, ScheduledComputeNodeChange)
    const row = await db.write(function* () {
      yield* needRow(scheduledComputeNode, 'Scheduled compute node', id)
      return yield* updateRow(scheduledComputeNode, id, {
        scheduler_id: body.scheduler_id ?? undefined,
        scheduler_config_id: body.scheduler_config_id ?? undefined,
        scheduler_type: body.scheduler_type ?? undefined,
        status: body.status ?? undefined,
      })
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, {
    path: '/scheduled_compute_nodes',
    noun: 'Scheduled compute node',
    table: scheduledComputeNode,
    reply,
  })
  return routes
}
