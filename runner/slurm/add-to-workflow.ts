import type { ExpandedAction, ExpandedSlurmScheduler, ExpandedWorkflow } from '../../api/core/spec/types.ts'
import type { PlannedGroup, PlannedScheduler } from './plan-schedulers.ts'

/** Gives an expanded workflow planned schedulers in place of its own, as add-to-spec.ts does with a file. */
export function withSchedulers(workflow: ExpandedWorkflow, groups: readonly PlannedGroup[]): ExpandedWorkflow {
  const groupOfSet = new Map(groups.flatMap((group, index) => group.sets.map(set => [set, index] as const)))
  const indicesOf = new Map<string, number[]>()
  workflow.jobs.forEach((job, index) => {
    const known = indicesOf.get(job.name)
    if (known === undefined) indicesOf.set(job.name, [index])
    else known.push(index)
  })
  const setOf = (index: number | undefined): string =>
    index === undefined ? 'default' : workflow.resourceRequirements[index]!.name
  const kept = workflow.actions.filter(({ config }) => config.actionType !== 'schedule_nodes')
  return {
    ...workflow,
    slurmSchedulers: groups.map(group => toExpanded(group.scheduler)),
    jobs: workflow.jobs.map(job => ({
      ...job,
      scheduler: job.labels.length > 0 ? undefined : groupOfSet.get(setOf(job.resourceRequirements)),
    })),
    actions: [...kept, ...groups.flatMap((group, index) => actionsOf(group, index, indicesOf))],
  }
}

const toExpanded = (scheduler: PlannedScheduler): ExpandedSlurmScheduler => ({
  name: scheduler.name,
  account: scheduler.account,
  partition: scheduler.partition,
  qos: undefined,
  gres: scheduler.gres,
  mem: scheduler.mem,
  tmp: undefined,
  extra: scheduler.extra,
  nodes: scheduler.nodes,
  ntasksPerNode: scheduler.ntasks_per_node,
  walltime: scheduler.walltime,
  serializeAllocations: false,
})

const actionsOf = (
  { actions }: PlannedGroup,
  scheduler: number,
  indicesOf: ReadonlyMap<string, readonly number[]>,
): ExpandedAction[] =>
  actions.map(action => {
    const jobs = [...new Set(action.jobs)].flatMap(name => indicesOf.get(name) ?? []).sort((a, b) => a - b)
    return {
      triggerType: 'on_jobs_ready',
      jobs,
      requiredTriggers: jobs.length,
      persistent: false,
      config: {
        actionType: 'schedule_nodes',
        scheduler,
        schedulerType: 'slurm',
        numAllocations: action.numAllocations,
        startOneWorkerPerNode: action.perNode,
        maxParallelJobs: undefined,
      },
    }
  })
