import { Hono } from 'hono'
import {
  type AllocationRow,
  countBacklog,
  hasAllocation,
  insertAllocation,
  listAllocations,
  moveAllocation,
} from '../../db/allocations.ts'
import { allocation } from '../../db/schema.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { ALLOCATION_FILTERS, AllocationChange, NewAllocation } from '../contract/allocation.ts'
import { type AllocationState, canMove } from '../core/allocation-states.ts'
import { AppError, missing } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { listReply, pageOf, pathInteger, readQuery, SORTING } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { compact } from './reply.ts'

/** Requests for nodes that were made of a batch scheduler for a workflow. Each is noted here before the scheduler hears of it. */
export function allocationRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/allocations', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, { ...ALLOCATION_FILTERS, ...SORTING })
    const page = pageOf(query)
    const { rows, total, keyset } = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listAllocations({ workflow_id: id, plan: query.plan, state: query.state }, { ...query, ...page })
    })
    return c.json(
      listReply(
        rows.map(row => compact(row)),
        total,
        page,
        keyset,
      ),
    )
  })

  routes.post('/workflows/:id/allocations', async c => {
    const id = pathInteger(c, 'id')
    const { backlog, ...body } = await readBody(c, NewAllocation)
    return createOnce(c, services, function* () {
      yield* needWorkflow(id)
      yield* refuseKnownName(body.name)
      if (backlog != null) yield* refuseOverBacklog(body.cluster, body.queue, backlog)
      return compact(yield* insertAllocation(id, body, clock()))
    })
  })

  routes.put('/workflows/:id/allocations/:allocation_id', async c => {
    const id = pathInteger(c, 'id')
    const allocationId = pathInteger(c, 'allocation_id')
    const body = await readBody(c, AllocationChange)
    const row = await db.write(function* () {
      const before = yield* needRow(allocation, 'Allocation', allocationId)
      if (before.workflow_id !== id) throw missing('Allocation', allocationId)
      refuseMove(before, body.state ?? undefined)
      return yield* moveAllocation(
        before,
        {
          state: body.state ?? undefined,
          schedulerId: body.scheduler_id ?? undefined,
          schedulerConfigId: body.scheduler_config_id ?? 0,
          message: body.message ?? undefined,
          submittedAt: body.submitted_at ?? undefined,
          unneeded: body.unneeded ?? undefined,
        },
        clock(),
      )
    })
    return c.json(compact(row))
  })
  return routes
}

/** Names tell submissions apart at the scheduler, whatever workflow they are for. */
function* refuseKnownName(name: string): Unit<void> {
  if (!(yield* hasAllocation(name))) return
  throw new AppError('conflict', `Cannot add an allocation as another one has the name ${name}`, { field: 'name' })
}

/** Two planners that look at the same moment must not both fill the last place. */
function* refuseOverBacklog(cluster: string, queue: string, backlog: number): Unit<void> {
  const waiting = yield* countBacklog(cluster, queue)
  if (waiting < backlog) return
  throw new AppError(
    'conflict',
    `Cannot add an allocation as ${waiting} wait in the queue already: at most ${backlog} may`,
  )
}

function refuseMove(before: AllocationRow, to: AllocationState | undefined): void {
  if (to === undefined || canMove(before.state as AllocationState, to)) return
  throw new AppError('illegal_status', `Cannot change allocation ${before.name} from ${before.state} to ${to}`)
}
