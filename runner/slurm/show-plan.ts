import { type Column, renderTable } from '../screen/table.ts'
import type { PlannedGroup, SchedulerPlan } from './plan-schedulers.ts'

const COLUMNS: readonly Column<PlannedGroup>[] = [
  { title: 'SCHEDULER', value: group => group.scheduler.name },
  { title: 'PARTITION', value: group => group.scheduler.partition },
  { title: 'NODES', value: group => group.scheduler.nodes, align: 'right' },
  { title: 'WALLTIME', value: group => group.scheduler.walltime, align: 'right' },
  { title: 'ALLOCATIONS', value: group => allocationsOf(group), align: 'right' },
  { title: 'JOBS', value: group => jobsOf(group), align: 'right' },
  { title: 'RESOURCE SETS', value: group => group.sets.join(',') },
]

export const allocationsOf = ({ actions }: PlannedGroup): number =>
  actions.reduce((sum, action) => sum + action.numAllocations, 0)

export const jobsOf = ({ actions }: PlannedGroup): number =>
  actions.reduce((sum, action) => sum + action.jobs.length, 0)

/** A plan as a table for people. */
export const renderPlan = ({ groups }: SchedulerPlan, width: number): string => renderTable(COLUMNS, groups, width)

/** A plan as a list for programs. */
export const planDocument = ({ groups }: SchedulerPlan) =>
  groups.map(group => ({
    ...group.scheduler,
    num_allocations: allocationsOf(group),
    job_count: jobsOf(group),
    resource_requirements: group.sets,
    actions: group.actions.map(action => ({
      num_allocations: action.numAllocations,
      start_one_worker_per_node: action.perNode,
      job_count: action.jobs.length,
    })),
  }))
