import { formatBytes } from '../screen/format.ts'
import type { Column } from '../screen/table.ts'
import { formatWalltime } from '../slurm/walltime.ts'
import type { Partition, Profile } from './types.ts'

/** Clusters in a table. */
export const PROFILES: readonly Column<Profile>[] = [
  { title: 'NAME', value: profile => profile.name },
  { title: 'CLUSTER', value: profile => profile.displayName },
  { title: 'PARTITIONS', value: profile => profile.partitions.map(partition => partition.name).join(',') },
  { title: 'FROM', value: profile => profile.source },
]

/** Partitions in a table. */
export const PARTITIONS: readonly Column<Partition>[] = [
  { title: 'PARTITION', value: partition => partition.name + (partition.isDefault ? '*' : '') },
  { title: 'CPUS', value: partition => partition.cpusPerNode, align: 'right' },
  { title: 'MEMORY', value: partition => formatBytes(partition.memoryBytesPerNode), align: 'right' },
  { title: 'GPUS', value: gpusOf },
  { title: 'MOST TIME', value: partition => formatWalltime(partition.maxWalltimeSeconds), align: 'right' },
  { title: 'MOST NODES', value: partition => partition.maxNodes, align: 'right' },
  { title: 'NODES', value: partition => partition.totalNodes, align: 'right' },
  { title: 'NOTES', value: notesOf },
]

function gpusOf({ gpusPerNode, gpuType }: Partition): string {
  if (gpusPerNode === 0) return ''
  return gpuType === undefined ? String(gpusPerNode) : `${gpusPerNode} ${gpuType}`
}

function notesOf({ isShared, isByNameOnly, description }: Partition): string {
  return [isShared && 'shared nodes', isByNameOnly && 'by name only', description].filter(Boolean).join(', ')
}

/** A partition in the words of profile files, sizes in bytes and times in seconds. Without end: no limit. */
export const documentOf = (partition: Partition) => ({
  name: partition.name,
  description: partition.description,
  cpus_per_node: partition.cpusPerNode,
  memory_bytes_per_node: partition.memoryBytesPerNode,
  gpus_per_node: partition.gpusPerNode,
  gpu_type: partition.gpuType,
  max_walltime_seconds: Number.isFinite(partition.maxWalltimeSeconds) ? partition.maxWalltimeSeconds : undefined,
  max_nodes: partition.maxNodes,
  total_nodes: partition.totalNodes,
  shared: partition.isShared,
  by_name_only: partition.isByNameOnly,
  default: partition.isDefault,
})

/** A cluster for programs. */
export const profileDocument = (profile: Profile) => ({
  name: profile.name,
  display_name: profile.displayName,
  description: profile.description,
  documentation: profile.documentation,
  source: profile.source,
  default_account: profile.defaultAccount,
  partitions: profile.partitions.map(documentOf),
})
