import type { SpecContext } from './env.ts'
import type { ExecutionMode } from './execution.ts'
import type { ACTION } from './keys.ts'
import { patternHint, type Target } from './links.ts'
import { type NameIndex, nameHint } from './names.ts'
import { patternPlace } from './pattern-place.ts'
import { itemPlaceOf, keyPlaceOf, placeOf, type SpecObject } from './schema.ts'
import type { ExpandedAction, ExpandedActionConfig, TriggerType } from './types.ts'

type ActionObject = SpecObject<typeof ACTION>

const JOB_TRIGGERS: readonly string[] = ['on_jobs_ready', 'on_jobs_complete']

/** Triggers at which a submitted workflow can ask for its nodes. */
const SUBMITTING_TRIGGERS: readonly string[] = ['on_workflow_start', ...JOB_TRIGGERS]

/** Reads the actions, in order; one with a problem is left out, and the problem reported. */
export function readActions(
  objects: readonly ActionObject[],
  jobs: Target,
  schedulers: NameIndex,
  mode: ExecutionMode,
  context: SpecContext,
): ExpandedAction[] {
  return objects.flatMap(object => {
    const config = readConfig(object, schedulers, mode, context)
    const selected = selectJobs(object, jobs, context)
    const { trigger_type: trigger, persistent } = object.get
    if (!config || !trigger || !selected) return []
    const isJobTrigger = JOB_TRIGGERS.includes(trigger.value)
    return {
      triggerType: trigger.value as TriggerType,
      config,
      jobs: selected,
      requiredTriggers: isJobTrigger ? selected.length : 1,
      persistent: persistent?.value ?? false,
    }
  })
}

/** Whether an action exists that gets nodes for the workflow without anybody's doing. */
export function hasScheduleNodesAction(objects: readonly ActionObject[]): boolean {
  return objects.some(
    ({ get }) =>
      get.action_type?.value === 'schedule_nodes' && SUBMITTING_TRIGGERS.includes(get.trigger_type?.value ?? ''),
  )
}

function readConfig(
  object: ActionObject,
  schedulers: NameIndex,
  mode: ExecutionMode,
  context: SpecContext,
): ExpandedActionConfig | undefined {
  const { get } = object
  if (get.action_type?.value === 'run_commands') {
    const commands = get.commands?.items.map(item => item.value) ?? []
    if (commands.length > 0) return { actionType: 'run_commands', commands }
    if (!get.commands && object.entries.has('commands')) return undefined
    context.report.error('missing_key', placeOf(object, 'commands'), 'run_commands needs "commands"')
  } else if (get.action_type?.value === 'schedule_nodes') return readScheduleNodes(object, schedulers, mode, context)
  return undefined
}

function readScheduleNodes(object: ActionObject, schedulers: NameIndex, mode: ExecutionMode, { report }: SpecContext) {
  const { get } = object
  const perNode = get.start_one_worker_per_node?.value ?? false
  if (perNode && mode !== 'direct') {
    const message = `start_one_worker_per_node needs mode direct, not ${mode}`
    report.error(
      'wrong_mode',
      keyPlaceOf(object, 'start_one_worker_per_node'),
      message,
      'set execution_config.mode to direct',
    )
  }
  for (const key of ['scheduler', 'scheduler_type'] as const) {
    if (!object.entries.has(key)) report.error('missing_key', placeOf(object, key), `schedule_nodes needs "${key}"`)
  }
  if (get.scheduler_type && get.scheduler_type.value !== 'slurm') {
    report.warn(
      'scheduler_type',
      placeOf(object, 'scheduler_type'),
      `scheduler_type "${get.scheduler_type.value}" does nothing`,
      'write slurm',
    )
  }
  if (!get.scheduler || !get.scheduler_type) return undefined
  const scheduler = schedulers.indexOf.get(get.scheduler.value)
  if (scheduler === undefined) {
    const message = `there is no scheduler "${get.scheduler.value}"`
    if (schedulers.complete)
      report.error(
        'unknown_scheduler',
        placeOf(object, 'scheduler'),
        message,
        nameHint(schedulers, get.scheduler.value),
      )
    return undefined
  }
  return {
    actionType: 'schedule_nodes',
    scheduler,
    schedulerType: get.scheduler_type.value,
    numAllocations: get.num_allocations?.value ?? 1,
    startOneWorkerPerNode: perNode,
    maxParallelJobs: get.max_parallel_jobs?.value,
  } as const
}

/** The union of names and patterns, ascending; none for triggers that do not look at jobs. Undefined when a problem was reported. */
function selectJobs(object: ActionObject, jobs: Target, { report, source, env }: SpecContext): number[] | undefined {
  const { get } = object
  const names = get.jobs?.items ?? []
  const patterns = get.job_name_regexes?.items ?? []
  if (!JOB_TRIGGERS.includes(get.trigger_type?.value ?? '')) {
    const key = names.length > 0 ? 'jobs' : 'job_name_regexes'
    if (names.length + patterns.length > 0) {
      report.warn(
        'unused_action_jobs',
        keyPlaceOf(object, key),
        `"${key}" does nothing, as ${get.trigger_type?.value} does not look at jobs`,
      )
    }
    return []
  }
  if (names.length + patterns.length === 0) {
    const isReadable = ['jobs', 'job_name_regexes'].every(key => !object.entries.has(key) || get[key as 'jobs'])
    const message = `${get.trigger_type?.value} needs "jobs" or "job_name_regexes", or it never fires`
    if (isReadable) report.error('missing_key', placeOf(object, 'jobs'), message)
    return undefined
  }
  const selected = new Set<number>()
  for (const item of names) {
    const index = jobs.names.indexOf.get(item.value)
    const place = itemPlaceOf(object, 'jobs', item)
    if (index === undefined) {
      const message = `there is no job "${item.value}"`
      if (jobs.names.complete) report.error('unknown_job', place, message, nameHint(jobs.names, item.value))
    } else if (selected.has(index)) report.warn('repeated_entry', place, `"${item.value}" is listed twice`)
    else selected.add(index)
  }
  for (const item of patterns) {
    const selection = jobs.select(item.value)
    const place = itemPlaceOf(object, 'job_name_regexes', item)
    if ('fault' in selection) {
      report.error(
        'bad_regex',
        patternPlace(place, item, selection.fault, { report, source, env }),
        selection.fault.message,
      )
    } else for (const index of selection.indices) selected.add(index)
  }
  const lastPattern = patterns.at(-1)
  if (selected.size === 0 && names.length === 0 && lastPattern && jobs.names.complete && !report.failed()) {
    const message = 'the patterns of this action match no job, so it never fires'
    report.error('no_match', itemPlaceOf(object, 'job_name_regexes', lastPattern), message, () =>
      patternHint(lastPattern.value, jobs),
    )
  }
  return [...selected].sort((a, b) => a - b)
}
