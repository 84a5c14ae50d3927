import { topologicalOrder } from './graph.ts'
import type { JobStatus } from './status.ts'

/** How jobs can be drawn together, from the finest way to the coarsest. */
export const GROUPINGS = ['job', 'level_and_name', 'name', 'level', 'none'] as const
export type Grouping = (typeof GROUPINGS)[number]

export type GraphJob = { id: number; name: string; status: JobStatus }

/** `to[k]` waits for `from[k]`; both are positions in the list of jobs. */
export type GraphEdges = { from: readonly number[]; to: readonly number[] }

export type JobGroup = {
  /** Its number in this graph, from 1 on. */
  id: number
  /** The name of its jobs, with `*` where their numbers differ. */
  label: string
  jobCount: number
  jobsByStatus: Partial<Record<JobStatus, number>>
  /** Longest way from a job that waits for nothing, of its first and of its last job. */
  firstLevel: number
  lastLevel: number
  /** The first few of its jobs. */
  jobIds: number[]
}

export type GroupedGraph = {
  groupedBy: Grouping
  groups: JobGroup[]
  /** How many dependencies lead from one group to another, or stay inside one. */
  edges: { from: number; to: number; count: number }[]
}

/** So many jobs of a group are named. */
const NAMED_JOBS = 5

/**
 * Draws jobs together until there are at most so many groups, in the finest way that does it; `wanted` decides instead. Jobs go together
 * whose names differ in numbers only, as a parameter sweep makes them.
 */
export function groupGraph(
  jobs: readonly GraphJob[],
  edges: GraphEdges,
  { mostGroups, wanted }: { mostGroups: number; wanted?: Grouping | undefined },
): GroupedGraph {
  const levels = levelsOf(jobs.length, edges)
  const groupedBy = wanted ?? GROUPINGS.find(way => isEnough(jobs, levels, way, mostGroups)) ?? 'none'
  const groups = new Map<string, JobGroup>()
  const groupOf = jobs.map((job, at) => {
    const key = keyOf(job, levels[at]!, groupedBy)
    const group = groups.get(key) ?? addGroup(groups, key, labelOf(job, groupedBy), levels[at]!)
    addJob(group, job, levels[at]!)
    return group.id
  })
  return { groupedBy, groups: [...groups.values()], edges: countEdges(groupOf, edges) }
}

/** Counts groups only as far as it takes to know. */
function isEnough(jobs: readonly GraphJob[], levels: Int32Array, way: Grouping, most: number): boolean {
  const keys = new Set<string>()
  for (let at = 0; at < jobs.length && keys.size <= most; at++) keys.add(keyOf(jobs[at]!, levels[at]!, way))
  return keys.size <= most
}

function keyOf(job: GraphJob, level: number, way: Grouping): string {
  switch (way) {
    case 'job':
      return String(job.id)
    case 'level_and_name':
      return `${level} ${patternOf(job.name)}`
    case 'name':
      return patternOf(job.name)
    case 'level':
      return String(level)
    case 'none':
      return ''
  }
}

const patternOf = (name: string): string => name.replace(/\d+(\.\d+)*/g, '*')

function labelOf(job: GraphJob, way: Grouping): string {
  switch (way) {
    case 'job':
      return job.name
    case 'level_and_name':
    case 'name':
      return patternOf(job.name)
    case 'level':
    case 'none':
      return '*'
  }
}

function addGroup(groups: Map<string, JobGroup>, key: string, label: string, level: number): JobGroup {
  const group: JobGroup = {
    id: groups.size + 1,
    label,
    jobCount: 0,
    jobsByStatus: {},
    firstLevel: level,
    lastLevel: level,
    jobIds: [],
  }
  groups.set(key, group)
  return group
}

function addJob(group: JobGroup, job: GraphJob, level: number): void {
  group.jobCount++
  group.jobsByStatus[job.status] = (group.jobsByStatus[job.status] ?? 0) + 1
  group.firstLevel = Math.min(group.firstLevel, level)
  group.lastLevel = Math.max(group.lastLevel, level)
  if (group.jobIds.length < NAMED_JOBS) group.jobIds.push(job.id)
}

function countEdges(groupOf: readonly number[], { from, to }: GraphEdges): GroupedGraph['edges'] {
  const counts = new Map<string, { from: number; to: number; count: number }>()
  for (let k = 0; k < from.length; k++) {
    const pair = { from: groupOf[from[k]!]!, to: groupOf[to[k]!]! }
    const key = `${pair.from} ${pair.to}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { ...pair, count: 1 })
    else known.count++
  }
  return [...counts.values()].sort((a, b) => a.from - b.from || a.to - b.to)
}

/** Jobs that wait for each other have no level: all stand on the first one then, and initialise says what is wrong. */
function levelsOf(size: number, edges: GraphEdges): Int32Array {
  const levels = new Int32Array(size)
  const { order } = topologicalOrder({ size, ...edges })
  if (order === undefined) return levels
  const rank = new Int32Array(size)
  order.forEach((job, at) => {
    rank[job] = at
  })
  const sorted = edges.from.map((_, k) => k).sort((a, b) => rank[edges.from[a]!]! - rank[edges.from[b]!]!)
  for (const k of sorted) levels[edges.to[k]!] = Math.max(levels[edges.to[k]!]!, levels[edges.from[k]!]! + 1)
  return levels
}
