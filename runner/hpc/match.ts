import type { Partition } from './types.ts'

/** What an allocation, or a job on its own, asks of a partition. Amounts are per node. */
export type Demand = {
  nodes: number
  cpus: number
  memoryBytes: number
  gpus: number
  walltimeSeconds: number
}

export type Match = {
  partition: Partition
  /** Why it does not fit; empty when it does. */
  reasons: readonly string[]
}

const GIB = 2 ** 30

/**
 * Compares a demand with every partition. Those that fit come first, the best first: one that has to be named last, then the fewest GPUs
 * left idle, then the shortest walltime that is long enough (it starts soonest), the least memory, the fewest CPUs.
 */
export function matchPartitions(partitions: readonly Partition[], demand: Demand): Match[] {
  const matches = partitions.map(partition => ({ partition, reasons: reasonsAgainst(partition, demand) }))
  return matches.sort(
    (a, b) =>
      Number(a.reasons.length > 0) - Number(b.reasons.length > 0) ||
      Number(a.partition.isByNameOnly) - Number(b.partition.isByNameOnly) ||
      a.partition.gpusPerNode - b.partition.gpusPerNode ||
      compare(a.partition.maxWalltimeSeconds, b.partition.maxWalltimeSeconds) ||
      a.partition.memoryBytesPerNode - b.partition.memoryBytesPerNode ||
      a.partition.cpusPerNode - b.partition.cpusPerNode,
  )
}

/** The partition a demand goes to when nobody names one; undefined when none fits. */
export function bestPartition(partitions: readonly Partition[], demand: Demand): Partition | undefined {
  const [best] = matchPartitions(partitions, demand)
  return best === undefined || best.reasons.length > 0 ? undefined : best.partition
}

/** Infinity minus Infinity is no order. */
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

function reasonsAgainst(partition: Partition, demand: Demand): string[] {
  const reasons: string[] = []
  const mostNodes = Math.min(partition.maxNodes ?? Infinity, partition.totalNodes ?? Infinity)
  if (demand.nodes > mostNodes) reasons.push(`${demand.nodes} nodes where ${mostNodes} is the most`)
  if (demand.cpus > partition.cpusPerNode) reasons.push(`${demand.cpus} CPUs of ${partition.cpusPerNode}`)
  if (demand.memoryBytes > partition.memoryBytesPerNode) {
    reasons.push(`${gib(demand.memoryBytes)} of memory of ${gib(partition.memoryBytesPerNode)}`)
  }
  if (demand.gpus > partition.gpusPerNode) reasons.push(`${demand.gpus} GPUs of ${partition.gpusPerNode}`)
  if (demand.walltimeSeconds > partition.maxWalltimeSeconds) {
    reasons.push(`${demand.walltimeSeconds} s where ${partition.maxWalltimeSeconds} s is the most`)
  }
  return reasons
}

const gib = (bytes: number): string => `${Math.round((bytes / GIB) * 10) / 10} GiB`
