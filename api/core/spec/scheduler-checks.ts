import { describeCopy } from './copies.ts'
import type { SpecContext } from './env.ts'
import type { JobTemplate } from './jobs.ts'
import { placeOf } from './schema.ts'
import { parseGresGpus, parseSlurmMemory, parseWalltime } from './slurm-text.ts'
import type {
  ExpandedActionConfig,
  ExpandedResourceRequirements,
  ExpandedSlurmScheduler,
  ExpandedWorkflow,
} from './types.ts'

type Checked = Pick<ExpandedWorkflow, 'jobs' | 'resourceRequirements' | 'slurmSchedulers' | 'actions'>

/** Reports jobs that ask for more than their scheduler gives. Both problems may be skipped, as the numbers of a file can be stale. */
export function checkSchedulers(workflow: Checked, templates: readonly JobTemplate[], context: SpecContext): void {
  const { slurmSchedulers: schedulers, resourceRequirements: sets } = workflow
  if (schedulers.length === 0 || sets.length === 0) return
  const scheduled = new Set(workflow.actions.flatMap(({ config }) => slurmSchedulerOf(config) ?? []))
  const excessOf = createExcessFinder(sets, schedulers)
  for (const { object, copies, jobOfCopy } of templates) {
    for (const [copy, jobIndex] of jobOfCopy.entries()) {
      const job = workflow.jobs[jobIndex]!
      const set = job.resourceRequirements
      if (set === undefined) continue
      const mismatch =
        job.scheduler !== undefined &&
        scheduled.has(job.scheduler) &&
        nodeMismatch(sets[set]!, schedulers[job.scheduler]!)
      if (mismatch)
        context.report.error(
          'node_mismatch',
          placeOf(object, 'resource_requirements'),
          mismatch + describeCopy(copies, copy),
        )
      const excess = job.labels.length > 0 ? undefined : excessOf(set, job.scheduler)
      if (excess)
        context.report.error(
          'over_scheduler',
          placeOf(object, 'resource_requirements'),
          excess + describeCopy(copies, copy),
        )
    }
  }
}

function slurmSchedulerOf(config: ExpandedActionConfig): number | undefined {
  return config.actionType === 'schedule_nodes' && config.schedulerType === 'slurm' ? config.scheduler : undefined
}

function nodeMismatch(set: ExpandedResourceRequirements, scheduler: ExpandedSlurmScheduler): string | undefined {
  if (scheduler.nodes <= 1 || set.numNodes <= 1 || set.numNodes === scheduler.nodes) return undefined
  return `"${set.name}" asks for ${set.numNodes} nodes where the scheduler "${scheduler.name}" gives ${scheduler.nodes}`
}

/** What a set asks beyond a scheduler, or beyond all of them when the job names none; each pair is compared once. */
function createExcessFinder(
  sets: readonly ExpandedResourceRequirements[],
  schedulers: readonly ExpandedSlurmScheduler[],
) {
  const known = new Map<string, string | undefined>()
  const compute = (set: ExpandedResourceRequirements, scheduler: number | undefined): string | undefined => {
    if (scheduler !== undefined) return excess(set, schedulers[scheduler]!)
    const all = schedulers.map(candidate => excess(set, candidate))
    return all.includes(undefined) ? undefined : `no scheduler is large enough: ${all.join('; ')}`
  }
  return (set: number, scheduler: number | undefined): string | undefined => {
    const key = `${set} ${scheduler}`
    if (!known.has(key)) known.set(key, compute(sets[set]!, scheduler))
    return known.get(key)
  }
}

function excess(set: ExpandedResourceRequirements, scheduler: ExpandedSlurmScheduler): string | undefined {
  const limits = [
    { asked: set.runtimeSeconds, given: parseWalltime(scheduler.walltime), unit: 's of runtime' },
    {
      asked: set.memoryBytes,
      given: scheduler.mem === undefined ? undefined : parseSlurmMemory(scheduler.mem),
      unit: 'bytes of memory',
    },
    {
      asked: set.numGpus,
      given: scheduler.gres === undefined ? undefined : parseGresGpus(scheduler.gres),
      unit: 'GPUs',
    },
  ]
  const over = limits.filter(({ asked, given }) => given !== undefined && asked > given)
  if (over.length === 0) return undefined
  const parts = over.map(({ asked, given, unit }) => `${asked} ${unit} over the ${given}`)
  return `"${set.name}" asks for ${parts.join(' and ')} of the scheduler "${scheduler.name}"`
}
