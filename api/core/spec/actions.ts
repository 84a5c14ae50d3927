import type { SpecContext } from './env.ts'
import type { ExecutionMode } from './execution.ts'
import type { ACTION } from './keys.ts'
import { patternHint, type Target } from './links.ts'
import { type NameIndex, nameHint } from './names.ts'
import { patternPlace } from './pattern-place.ts'
import { itemPlaceOf, keyPlaceOf, placeOf, type SpecObject } from './schema.ts'
import type { TextNode } from './tree.ts'
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
function selectJobs(object: ActionObject, jobs: Target, context: SpecContext): number[] | undefined {
  const names = object.get.jobs?.items ?? []
  const patterns = object.get.job_name_regexes?.items ?? []
  const trigger = object.get.trigger_type?.value ?? ''
  if (!JOB_TRIGGERS.includes(trigger)) {
    const key = names.length > 0 ? 'jobs' : 'job_name_regexes'
    const message = `"${key}" does nothing, as ${trigger} does not look at jobs`
    if (names.length + patterns.length > 0) context.report.warn('unused_action_jobs', keyPlaceOf(object, key), message)
    return []
  }
  if (names.length + patterns.length === 0) {
    const message = `${trigger} needs "jobs" or "job_name_regexes", or it never fires`
    if (!hasUnreadableJobs(object)) context.report.error('missing_key', placeOf(object, 'jobs'), message)
    return undefined
  }
  const selected = new Set<number>()
  for (const item of names) addNamed(object, item, selected, jobs, context)
  const matched = patterns.map(item => addMatches(object, item, selected, jobs, context))
  const last = patterns.at(-1)
  if (names.length === 0 && last && matched.every(outcome => outcome === 'none') && jobs.names.complete) {
    const message = 'the patterns of this action match no job, so it never fires'
    const place = itemPlaceOf(object, 'job_name_regexes', last)
    context.report.error('no_match', place, message, () => patternHint(last.value, jobs))
  }
  return [...selected].sort((a, b) => a - b)
}

/** Lists of the wrong type were reported with the types. */
function hasUnreadableJobs({ entries, get }: ActionObject): boolean {
  return (entries.has('jobs') && !get.jobs) || (entries.has('job_name_regexes') && !get.job_name_regexes)
}

function addNamed(
  object: ActionObject,
  item: TextNode,
  selected: Set<number>,
  jobs: Target,
  { report }: SpecContext,
): void {
  const index = jobs.names.indexOf.get(item.value)
  const place = itemPlaceOf(object, 'jobs', item)
  if (index === undefined) {
    const message = `there is no job "${item.value}"`
    if (jobs.names.complete) report.error('unknown_job', place, message, nameHint(jobs.names, item.value))
  } else if (selected.has(index)) report.warn('repeated_entry', place, `"${item.value}" is listed twice`)
  else selected.add(index)
}

function addMatches(
  object: ActionObject,
  item: TextNode,
  selected: Set<number>,
  jobs: Target,
  context: SpecContext,
): 'some' | 'none' | 'fault' {
  const selection = jobs.select(item.value)
  if ('fault' in selection) {
    const place = patternPlace(itemPlaceOf(object, 'job_name_regexes', item), item, selection.fault, context)
    context.report.error('bad_regex', place, selection.fault.message)
    return 'fault'
  }
  for (const index of selection.indices) selected.add(index)
  return selection.indices.length > 0 ? 'some' : 'none'
}
