import type { Demand } from '../hpc/match.ts'
import { matchPartitions } from '../hpc/match.ts'
import type { Partition } from '../hpc/types.ts'
import { formatWalltime } from './walltime.ts'

/** What jobs of one resource set require. */
export type SetDemand = {
  name: string
  nodes: number
  cpus: number
  memoryBytes: number
  gpus: number
  runtimeSeconds: number
}

/** A job that needs a place. Jobs of one stage wait for those of the stages before. */
export type PlacedJob = { name: string; set: SetDemand; stage: number }

export const WALLTIME_STRATEGIES = ['max-job-runtime', 'max-partition-time'] as const
export const GROUPINGS = ['partition', 'resource-requirements'] as const

export type PlanOptions = {
  account: string
  /** Only this partition. */
  partition?: string
  /** As long as the longest job needs, times the multiplier, or as long as the partition gives. */
  walltimeStrategy: (typeof WALLTIME_STRATEGIES)[number]
  walltimeMultiplier: number
  /** One scheduler for all jobs that go to a partition, or one for each resource set. */
  groupBy: (typeof GROUPINGS)[number]
  /** One allocation of many nodes instead of many of one node. */
  singleAllocation: boolean
  /** Names that are taken. */
  taken?: readonly string[]
}

/** A scheduler in the words of workflow files. */
export type PlannedScheduler = {
  name: string
  account: string
  partition: string
  nodes: number
  walltime: string
  mem?: string
  gres?: string
  ntasks_per_node?: number
  extra?: string
}

/** Allocations for the jobs of one stage, asked for when these are ready. */
export type PlannedAction = { jobs: string[]; numAllocations: number; perNode: boolean }

export type PlannedGroup = {
  scheduler: PlannedScheduler
  walltimeSeconds: number
  sets: string[]
  actions: PlannedAction[]
}

/** A resource set that no partition is large enough for, and why each is not. */
export type Unplaced = { set: string; jobs: number; reasons: string[] }

export type SchedulerPlan = { groups: PlannedGroup[]; unplaced: Unplaced[] }

const MIB = 2 ** 20
/** The runner itself lives in the allocation's memory, too: Node.js with its heap. */
const RUNNER_BYTES = 512 * MIB

type Group = { partition: Partition; nodes: number; sets: SetDemand[]; jobs: PlacedJob[] }

/**
 * Plans the schedulers that a set of jobs needs on a cluster, and how many allocations of each. Every set goes to the best partition that
 * fits it; jobs of several nodes get schedulers of exactly as many. Jobs of a later stage ask for their own allocations when they are
 * ready, so that nothing waits in the queue for work that is blocked.
 */
export function planSchedulers(
  jobs: readonly PlacedJob[],
  partitions: readonly Partition[],
  options: PlanOptions,
): SchedulerPlan {
  const offered =
    options.partition === undefined ? partitions : partitions.filter(one => one.name === options.partition)
  const groups = new Map<string, Group>()
  const unplaced: Unplaced[] = []
  for (const [set, own] of bySet(jobs)) {
    const [best] = matchPartitions(offered, demandOf(set))
    if (best === undefined || best.reasons.length > 0) {
      const reasons = matchPartitions(offered, demandOf(set)).map(
        one => `${one.partition.name}: ${one.reasons.join(', ')}`,
      )
      unplaced.push({ set: set.name, jobs: own.length, reasons })
      continue
    }
    const { partition } = best
    const single = options.groupBy === 'resource-requirements' ? set.name : ''
    const key = JSON.stringify([partitions.indexOf(partition), set.nodes, single])
    const group = groups.get(key) ?? { partition, nodes: set.nodes, sets: [], jobs: [] }
    group.sets.push(set)
    group.jobs = group.jobs.concat(own)
    groups.set(key, group)
  }
  const taken = new Set(options.taken)
  return { groups: [...groups.values()].map(group => planGroup(group, options, taken)), unplaced }
}

function bySet(jobs: readonly PlacedJob[]): Map<SetDemand, PlacedJob[]> {
  const sets = new Map<string, { set: SetDemand; jobs: PlacedJob[] }>()
  for (const job of jobs) {
    const known = sets.get(job.set.name)
    if (known === undefined) sets.set(job.set.name, { set: job.set, jobs: [job] })
    else known.jobs.push(job)
  }
  return new Map([...sets.values()].map(({ set, jobs: own }) => [set, own]))
}

const demandOf = ({ nodes, cpus, memoryBytes, gpus, runtimeSeconds }: SetDemand): Demand => ({
  nodes,
  cpus,
  memoryBytes,
  gpus,
  walltimeSeconds: runtimeSeconds,
})

function planGroup(group: Group, options: PlanOptions, taken: Set<string>): PlannedGroup {
  const { partition, sets } = group
  const walltimeSeconds = walltimeOf(group, options)
  const needs = stagesOf(group.jobs).map(jobs => ({ jobs, allocations: allocationsFor(jobs, group, walltimeSeconds) }))
  // Jobs of one node may share an allocation of many, with a runner on each.
  const isSingle = options.singleAllocation && group.nodes === 1
  const most = Math.min(partition.maxNodes ?? Infinity, partition.totalNodes ?? Infinity)
  const widest = needs.reduce((widest, need) => Math.max(widest, need.allocations), 1)
  const nodes = isSingle ? Math.min(most, widest) : group.nodes
  return {
    scheduler: {
      name: uniqueName(baseName(group, options), taken),
      account: options.account,
      partition: partition.name,
      nodes,
      walltime: formatWalltime(walltimeSeconds),
      ...askOf(group, isSingle || needs.some(need => need.allocations > 1)),
    },
    walltimeSeconds,
    sets: sets.map(set => set.name),
    actions: needs.map(({ jobs, allocations }) => ({
      jobs: jobs.map(job => job.name),
      numAllocations: isSingle ? 1 : Math.min(allocations, partition.totalNodes ?? Infinity),
      perNode: isSingle && nodes > 1,
    })),
  }
}

/** Jobs by stage, the first first. */
function stagesOf(jobs: readonly PlacedJob[]): PlacedJob[][] {
  const stages = new Map<number, PlacedJob[]>()
  for (const job of jobs) {
    const known = stages.get(job.stage)
    if (known === undefined) stages.set(job.stage, [job])
    else known.push(job)
  }
  return [...stages].sort(([a], [b]) => a - b).map(([, own]) => own)
}

/** Whole minutes, which is what Slurm counts in; never more than the partition gives. */
function walltimeOf({ partition, sets }: Group, { walltimeStrategy, walltimeMultiplier }: PlanOptions): number {
  const most = partition.maxWalltimeSeconds
  if (walltimeStrategy === 'max-partition-time' && Number.isFinite(most)) return most
  const longest = Math.max(...sets.map(set => set.runtimeSeconds))
  return Math.min(most, Math.ceil((longest * walltimeMultiplier) / 60) * 60)
}

/** How many allocations run these jobs within one walltime. */
function allocationsFor(jobs: readonly PlacedJob[], { partition, nodes }: Group, walltimeSeconds: number): number {
  let shares = 0
  for (const { set } of jobs) {
    const rounds = Math.max(1, Math.floor(walltimeSeconds / Math.max(1, set.runtimeSeconds)))
    shares += 1 / (rounds * (nodes === 1 ? atOnce(set, partition) : 1))
  }
  // Sums of fractions come out a little too large.
  return Math.max(1, Math.ceil(shares - 1e-9))
}

/** How many jobs of a set one node runs at once. */
function atOnce(set: SetDemand, partition: Partition): number {
  return Math.max(
    1,
    Math.floor(
      Math.min(
        partition.cpusPerNode / set.cpus,
        partition.memoryBytesPerNode / Math.max(1, set.memoryBytes),
        set.gpus === 0 ? Infinity : partition.gpusPerNode / set.gpus,
      ),
    ),
  )
}

/**
 * What an allocation asks of a node. Where nodes are not shared that is all of one anyway, but for its GPUs; else as much as the jobs of the
 * fullest stage use at once.
 */
function askOf({ partition, sets, jobs }: Group, isFull: boolean): Partial<PlannedScheduler> {
  const gpus = isFull || !partition.isShared ? partition.gpusPerNode : atMost(jobs, 'gpus', partition.gpusPerNode)
  const gres = sets.some(set => set.gpus > 0) ? { gres: `gpu:${gpus}` } : {}
  if (!partition.isShared) return gres
  const cpus = isFull ? partition.cpusPerNode : atMost(jobs, 'cpus', partition.cpusPerNode)
  const most = partition.memoryBytesPerNode
  const bytes = isFull ? most : Math.min(most, atMost(jobs, 'memoryBytes', most) + RUNNER_BYTES)
  return { mem: `${Math.ceil(bytes / MIB)}m`, ...gres, ntasks_per_node: 1, extra: `--cpus-per-task=${cpus}` }
}

/** The sum over the fullest stage, but no more than a node has. */
function atMost(jobs: readonly PlacedJob[], field: 'cpus' | 'gpus' | 'memoryBytes', most: number): number {
  const sums = new Map<number, number>()
  for (const { stage, set } of jobs) sums.set(stage, (sums.get(stage) ?? 0) + set[field])
  return Math.min(
    most,
    [...sums.values()].reduce((fullest, sum) => Math.max(fullest, sum), 0),
  )
}

function baseName({ partition, nodes, sets }: Group, { groupBy }: PlanOptions): string {
  if (groupBy === 'resource-requirements') return `${sets[0]!.name}_scheduler`
  return nodes === 1 ? `${partition.name}_scheduler` : `${partition.name}_${nodes}_nodes_scheduler`
}

function uniqueName(base: string, taken: Set<string>): string {
  let name = base
  for (let number = 2; taken.has(name); number++) name = `${base}_${number}`
  taken.add(name)
  return name
}
