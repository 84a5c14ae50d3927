import { Hono } from 'hono'
import { slurmScheduler } from '../../db/schema.ts'
import { listSlurmSchedulers, type SlurmSchedulerRow } from '../../db/slurm-schedulers.ts'
import { insertRow, updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewSlurmScheduler, SlurmSchedulerChange } from '../contract/slurm-scheduler.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'
import { compact, flag, storedFlag } from './reply.ts'

export const reply = (row: SlurmSchedulerRow) =>
  compact({ ...row, serialize_allocations: flag(row.serialize_allocations) })

/** The columns a body sets; what it does not say stays as it is. */
export const values = (body: SlurmSchedulerChange) => ({
  name: body.name ?? undefined,
  account: body.account ?? undefined,
  nodes: body.nodes ?? undefined,
  walltime: body.walltime ?? undefined,
  gres: body.gres ?? undefined,
  mem: body.mem ?? undefined,
  ntasks_per_node: body.ntasks_per_node ?? undefined,
  partition: body.partition ?? undefined,
  qos: body.qos ?? undefined,
  tmp: body.tmp ?? undefined,
  extra: body.extra ?? undefined,
  serialize_allocations: storedFlag(body.serialize_allocations),
})

export function slurmSchedulerRoutes(services: Services): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()

  routes.post('/slurm_schedulers', async c => {
    const body = await readBody(c, NewSlurmScheduler)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      return reply(yield* insertRow(slurmScheduler, { workflow_id: body.workflow_id, ...values(body) }))
    })
  })

  routes.get('/slurm_schedulers', c => answerList(c, db, { workflow_id: 'integer!' }, listSlurmSchedulers, reply))

  routes.put('/slurm_schedulers/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, SlurmSchedulerChange)
    const row = await db.write(function* () {
      yield* needRow(slurmScheduler, 'Slurm scheduler', id)
      return yield* updateRow(slurmScheduler, id, values(body))
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, { path: '/slurm_schedulers', noun: 'Slurm scheduler', table: slurmScheduler, reply })
  return routes
}
