import * as v from 'valibot'
import { parseSlurmMemory, parseWalltime } from '../../api/core/spec/slurm-text.ts'
import type { Partition, Profile, ProfileSource } from './types.ts'

const positive = v.pipe(v.number(), v.integer(), v.minValue(1))
const name = v.pipe(v.string(), v.nonEmpty())

const walltime = v.pipe(
  v.string(),
  v.transform(parseWalltime),
  v.number('must be a walltime such as 04:00:00, 2-00:00:00 or UNLIMITED'),
)
const memory = v.pipe(
  v.string(),
  v.transform(parseSlurmMemory),
  v.number('must be a size such as 240g; without a unit it counts megabytes'),
)
const pattern = v.pipe(
  v.string(),
  v.check(isRegExp, 'must be a regular expression'),
  v.transform(text => new RegExp(text)),
)

function isRegExp(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

const PartitionFile = v.strictObject({
  name,
  description: v.optional(v.string()),
  cpus_per_node: positive,
  memory_per_node: memory,
  gpus_per_node: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  gpu_type: v.optional(name),
  max_walltime: walltime,
  max_nodes: v.optional(positive),
  total_nodes: v.optional(positive),
  shared: v.optional(v.boolean(), false),
  by_name_only: v.optional(v.boolean(), false),
  default: v.optional(v.boolean(), false),
})

const ProfileFile = v.strictObject({
  name,
  display_name: v.optional(v.string()),
  description: v.optional(v.string()),
  documentation: v.optional(v.string()),
  default_account: v.optional(name),
  detect: v.optional(
    v.strictObject({
      cluster_names: v.optional(v.array(name), []),
      hostnames: v.optional(v.array(pattern), []),
      env: v.optional(v.record(v.string(), v.string()), {}),
    }),
    {},
  ),
  partitions: v.pipe(v.array(PartitionFile), v.nonEmpty('must name at least one partition')),
})

export type ProfileFile = v.InferInput<typeof ProfileFile>

/** A profile, or what is wrong with the document and where in it. */
export type ReadProfile = { profile: Profile } | { fault: string }

/** Reads the document of a profile. */
export function readProfile(document: unknown, source: ProfileSource): ReadProfile {
  const read = v.safeParse(ProfileFile, document)
  if (!read.success) {
    const [issue] = read.issues
    return { fault: `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}` }
  }
  const { output: file } = read
  return {
    profile: {
      name: file.name,
      displayName: file.display_name ?? file.name,
      description: file.description,
      documentation: file.documentation,
      source,
      defaultAccount: file.default_account,
      signs: {
        clusterNames: file.detect.cluster_names,
        hostnames: file.detect.hostnames,
        env: file.detect.env,
      },
      partitions: file.partitions.map(toPartition),
    },
  }
}

const toPartition = (file: v.InferOutput<typeof PartitionFile>): Partition => ({
  name: file.name,
  description: file.description,
  cpusPerNode: file.cpus_per_node,
  memoryBytesPerNode: file.memory_per_node,
  gpusPerNode: file.gpus_per_node,
  gpuType: file.gpu_type,
  maxWalltimeSeconds: file.max_walltime,
  maxNodes: file.max_nodes,
  totalNodes: file.total_nodes,
  isShared: file.shared,
  isByNameOnly: file.by_name_only,
  isDefault: file.default,
})
