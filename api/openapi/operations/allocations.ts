import {
  ALLOCATION_FILTERS,
  AllocationChange,
  AllocationPlanChange,
  DEMAND_QUERY,
  DutyClaim,
  NewAllocation,
  NewAllocationPlan,
} from '../../contract/allocation.ts'
import { SORTING } from '../../query.ts'
import { AllocationDemand, AllocationModel, AllocationPlanModel, DutyModel } from '../models/allocations.ts'
import { itemsOf, listOf } from '../models/common.ts'
import { type Operation, tagged } from '../operation.ts'

const allocations = tagged('allocations')

export const ALLOCATION_OPERATIONS: readonly Operation[] = [
  allocations('get', '/workflows/{id}/allocation_plans', 'list_allocation_plans', 'Lists what users want of clusters', {
    reply: itemsOf(AllocationPlanModel),
  }),
  allocations('post', '/workflows/{id}/allocation_plans', 'store_allocation_plan', 'Keeps a plan by its name', {
    body: NewAllocationPlan,
    reply: AllocationPlanModel,
  }),
  allocations(
    'put',
    '/workflows/{id}/allocation_plans/{plan_id}',
    'update_allocation_plan',
    'Pauses, resumes, stops one',
    {
      body: AllocationPlanChange,
      reply: AllocationPlanModel,
    },
  ),
  allocations('get', '/workflows/{id}/allocation_demand', 'get_allocation_demand', 'What a planner has to look at', {
    query: DEMAND_QUERY,
    reply: AllocationDemand,
  }),
  allocations('get', '/workflows/{id}/allocations', 'list_allocations', 'Lists requests for nodes', {
    query: { ...ALLOCATION_FILTERS, ...SORTING },
    reply: listOf(AllocationModel),
  }),
  allocations('post', '/workflows/{id}/allocations', 'create_allocation', 'Notes a request before it is submitted', {
    body: NewAllocation,
    reply: AllocationModel,
    creates: true,
  }),
  allocations('put', '/workflows/{id}/allocations/{allocation_id}', 'update_allocation', 'Tells what became of one', {
    body: AllocationChange,
    reply: AllocationModel,
  }),
  allocations('get', '/workflows/{id}/duties', 'list_duties', 'Who sees to what', { reply: itemsOf(DutyModel) }),
  allocations('post', '/workflows/{id}/duties', 'take_duty', 'Takes, renews or gives back a duty', {
    body: DutyClaim,
    reply: DutyModel,
  }),
]
