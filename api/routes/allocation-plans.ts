import { Hono } from 'hono'
import { listLiveRunners, listQueueUse, listReadyGroups } from '../../db/allocation-demand.ts'
import {
  type AllocationPlanRow,
  changeAllocationPlan,
  listAllocationPlans,
  storeAllocationPlan,
} from '../../db/allocation-plans.ts'
import { listRecentAllocations, type WithRunners } from '../../db/allocations.ts'
import { allocationPlan } from '../../db/schema.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { AllocationPlanChange, DEMAND_QUERY, NewAllocationPlan } from '../contract/allocation.ts'
import { missing } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { compact, jsonText } from './reply.ts'

const reply = ({ config, pauses, ...row }: AllocationPlanRow) =>
  compact({ ...row, config: JSON.parse(config), pauses: JSON.parse(pauses) })

const withRunners = ({ registered, active, ...row }: WithRunners) => ({
  ...compact(row),
  registered_runners: registered,
  active_runners: active,
})

/** More ended requests say nothing about the next one. */
const RECENT = 20

/** How much of a cluster a user wants to use for a workflow, and what a planner has to look at to ask for it. */
export function allocationPlanRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/allocation_plans', async c => {
    const id = pathInteger(c, 'id')
    const rows = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listAllocationPlans(id)
    })
    return c.json({ items: rows.map(reply), count: rows.length })
  })

  // By its name a plan is made once: the same request again changes nothing.
  routes.post('/workflows/:id/allocation_plans', async c => {
    const id = pathInteger(c, 'id')
    const { name, config } = await readBody(c, NewAllocationPlan)
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      return yield* storeAllocationPlan(id, name, JSON.stringify(config), clock())
    })
    return c.json(reply(row))
  })

  routes.put('/workflows/:id/allocation_plans/:plan_id', async c => {
    const id = pathInteger(c, 'id')
    const planId = pathInteger(c, 'plan_id')
    const { state, pauses } = await readBody(c, AllocationPlanChange)
    const row = await db.write(function* () {
      const before = yield* needRow(allocationPlan, 'Allocation plan', planId)
      if (before.workflow_id !== id) throw missing('Allocation plan', planId)
      return yield* changeAllocationPlan(before, { state: state ?? undefined, pauses: jsonText(pauses) }, clock())
    })
    return c.json(reply(row))
  })

  routes.get('/workflows/:id/allocation_demand', async c => {
    const id = pathInteger(c, 'id')
    const { plan, cluster, over = RECENT } = readQuery(c, DEMAND_QUERY)
    const now = clock()
    const demand = await db.read(function* () {
      const workflow = yield* needWorkflow(id)
      // Of a canceled workflow nothing is ready for anybody.
      const groups = workflow.is_canceled === 0 ? yield* listReadyGroups(id, now) : []
      const runners = yield* listLiveRunners(id, now)
      const queues = yield* listQueueUse(cluster, now)
      const allocations = yield* listRecentAllocations(id, plan, Math.min(Math.max(over, 0), 1_000))
      return { now, groups, runners, queues, allocations: allocations.map(withRunners) }
    })
    return c.json(demand)
  })
  return routes
}
