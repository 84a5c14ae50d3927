import { Hono } from 'hono'
import { type LocalSchedulerRow, listLocalSchedulers } from '../../db/local-schedulers.ts'
import { localScheduler } from '../../db/schema.ts'
import { insertRow, updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { LOCAL_SCHEDULER_FILTERS as FILTERS } from '../contract/filters.ts'
import { LocalSchedulerChange, NewLocalScheduler } from '../contract/local-scheduler.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'
import { compact } from './reply.ts'

export const reply = (row: LocalSchedulerRow) => compact(row)

export function localSchedulerRoutes(services: Services): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()

  routes.post('/local_schedulers', async c => {
    const { workflow_id, name, memory, num_cpus } = await readBody(c, NewLocalScheduler)
    return createOnce(c, services, function* () {
      yield* needWorkflow(workflow_id)
      return reply(yield* insertRow(localScheduler, { workflow_id, name, memory, num_cpus }))
    })
  })

  routes.get('/local_schedulers', c => answerList(c, db, FILTERS, listLocalSchedulers, reply))

  routes.put('/local_schedulers/:id', async c => {
    const id = pathInteger(c, 'id')
    const { name, memory, num_cpus } = await readBody(c, LocalSchedulerChange)
    const row = await db.write(function* () {
      yield* needRow(localScheduler, 'Local scheduler', id)
      return yield* updateRow(localScheduler, id, {
        name: name ?? undefined,
        memory: memory ?? undefined,
        num_cpus: num_cpus ?? undefined,
      })
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, { path: '/local_schedulers', noun: 'Local scheduler', table: localScheduler, reply })
  return routes
}
