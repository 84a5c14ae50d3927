import type { PlanState } from '../api/core/allocation-states.ts'
import { allocationPlan } from './schema.ts'
import { updateRow } from './table.ts'
import { all, one, type Unit } from './unit.ts'

export type AllocationPlanRow = typeof allocationPlan.$inferSelect

export function* listAllocationPlans(workflowId: number): Unit<AllocationPlanRow[]> {
  return yield* all<AllocationPlanRow>('SELECT * FROM allocation_plan WHERE workflow_id = ? ORDER BY id', workflowId)
}

/** Keeps a plan, or gives the one of this name another configuration: then it is active again, whatever it was. */
export function* storeAllocationPlan(
  workflowId: number,
  name: string,
  config: string,
  now: number,
): Unit<AllocationPlanRow> {
  const row = yield* one<AllocationPlanRow>(
    `INSERT INTO allocation_plan (workflow_id, name, config, state, since, pauses, created_at)
     VALUES (?1, ?2, ?3, 'active', ?4, '{}', ?4)
     ON CONFLICT (workflow_id, name) DO UPDATE SET config = excluded.config,
       since = CASE WHEN state = 'active' THEN since ELSE excluded.since END, state = 'active'
     RETURNING *`,
    workflowId,
    name,
    config,
    now,
  )
  return row!
}

/** Pauses, resumes or stops a plan. Resuming forgets why its queues were paused: failures before that moment count no more. */
export function* changeAllocationPlan(
  row: AllocationPlanRow,
  change: { state: PlanState | undefined; pauses: string | undefined },
  now: number,
): Unit<AllocationPlanRow> {
  const resumed = change.state === 'active'
  return yield* updateRow(allocationPlan, row.id, {
    state: change.state,
    since: resumed || (change.state !== undefined && change.state !== row.state) ? now : undefined,
    pauses: change.pauses ?? (resumed ? '{}' : undefined),
  })
}
