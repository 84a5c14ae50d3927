import {
  entryOf,
  type ListNode,
  type MapEntry,
  type MapNode,
  type SpecNode,
  type TextNode,
} from '../../api/core/spec/tree.ts'
import { selectJobs } from './job-selection.ts'
import type { PlannedGroup } from './plan-schedulers.ts'

/** The trees of generated values stand where nothing of the file does: no comment of it belongs to them. */
type Maker = { at: number; end: number }

type Value = string | number | boolean | undefined | readonly Value[] | { readonly [key: string]: Value }

/**
 * Adds planned schedulers to the tree of a workflow file: they themselves, their names on the jobs whose resource sets they serve, and
 * actions that ask for their allocations. Schedulers and schedule_nodes actions of the file are left out.
 */
export function addSchedulers(
  root: MapNode,
  groups: readonly PlannedGroup[],
  jobNames: readonly string[],
  withActions: boolean,
): MapNode {
  const make: Maker = { at: root.end, end: root.end }
  const schedulerOf = new Map(groups.flatMap(group => group.sets.map(set => [set, group.scheduler.name] as const)))
  const jobs = listOf(root, 'jobs')
  const templates = jobs.flatMap(job => textOf(job, 'name') ?? [])
  const kept = listOf(root, 'actions').filter(action => textOf(action, 'action_type') !== 'schedule_nodes')
  const actions = withActions ? groups.flatMap(group => actionsOf(group, jobNames, templates, make)) : []
  const entries = root.entries
    .filter(({ key }) => key !== 'slurm_schedulers' && key !== 'actions')
    .map(entry => (entry.key === 'jobs' ? { ...entry, value: bindJobs(entry.value, schedulerOf, make) } : entry))
  const added = [
    entry(
      'slurm_schedulers',
      groups.map(group => group.scheduler),
      make,
    ),
  ]
  if (kept.length + actions.length > 0) {
    added.push({ key: 'actions', keyAt: make.at, value: { kind: 'list', items: [...kept, ...actions], ...make } })
  }
  return { ...root, entries: [...entries, ...added] }
}

function bindJobs(value: SpecNode, schedulerOf: ReadonlyMap<string, string>, make: Maker): SpecNode {
  if (value.kind !== 'list') return value
  const items = value.items.map(job => {
    // No runner of an allocation takes a job with labels.
    if (job.kind !== 'map' || hasLabels(job)) return job
    const scheduler = schedulerOf.get(textOf(job, 'resource_requirements') ?? 'default')
    if (scheduler === undefined) return job
    const others = job.entries.filter(({ key }) => key !== 'scheduler' && key !== 'slurm_scheduler')
    return { ...job, entries: [...others, entry('scheduler', scheduler, make)] }
  })
  return { ...value, items }
}

function actionsOf(
  { scheduler, actions }: PlannedGroup,
  all: readonly string[],
  templates: readonly string[],
  make: Maker,
): SpecNode[] {
  return actions.map(action => {
    const { jobs, job_name_regexes } = selectJobs(action.jobs, all, templates)
    return node(
      {
        trigger_type: 'on_jobs_ready',
        action_type: 'schedule_nodes',
        jobs: jobs.length === 0 ? undefined : jobs,
        job_name_regexes: job_name_regexes.length === 0 ? undefined : job_name_regexes,
        scheduler: scheduler.name,
        scheduler_type: 'slurm',
        num_allocations: action.numAllocations,
        start_one_worker_per_node: action.perNode || undefined,
      },
      make,
    )
  })
}

const entry = (key: string, value: Value, make: Maker): MapEntry => ({ key, keyAt: make.at, value: node(value, make) })

function node(value: Value, make: Maker): SpecNode {
  switch (typeof value) {
    case 'string':
      return { kind: 'text', value, ...make }
    case 'number':
      return { kind: 'int', value, ...make }
    case 'boolean':
      return { kind: 'bool', value, ...make }
    case 'undefined':
      return { kind: 'null', ...make }
  }
  if (isList(value)) return { kind: 'list', items: value.map(item => node(item, make)), ...make } satisfies ListNode
  const given = Object.entries(value).filter(([, one]) => one !== undefined)
  return { kind: 'map', entries: given.map(([key, one]) => entry(key, one, make)), ...make }
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

function listOf(map: MapNode, key: string): SpecNode[] {
  const value = entryOf(map, key)?.value
  return value?.kind === 'list' ? value.items : []
}

function textOf(value: SpecNode, key: string): string | undefined {
  const found = value.kind === 'map' ? entryOf(value, key)?.value : undefined
  return isText(found) ? found.value : undefined
}

function hasLabels(job: MapNode): boolean {
  const labels = entryOf(job, 'labels')?.value
  return labels?.kind === 'list' ? labels.items.length > 0 : labels?.kind === 'text'
}

const isText = (value: SpecNode | undefined): value is TextNode => value?.kind === 'text'
