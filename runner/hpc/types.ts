/** A kind of node that a partition gives: one with nodes of two sizes stands in a profile twice. */
export type Partition = {
  name: string
  description?: string
  cpusPerNode: number
  memoryBytesPerNode: number
  gpusPerNode: number
  gpuType?: string
  /** Infinity where there is no limit. */
  maxWalltimeSeconds: number
  /** Most nodes of one allocation; absent where nobody says. */
  maxNodes?: number
  /** How many nodes of this kind there are. */
  totalNodes?: number
  /** Several allocations may share a node, so that a part of one can be asked for. */
  isShared: boolean
  /** Nothing comes here by itself: an allocation has to name it. */
  isByNameOnly: boolean
  isDefault: boolean
}

/** How a machine shows that it belongs to a cluster; one that holds is enough. */
export type Signs = {
  clusterNames: readonly string[]
  hostnames: readonly RegExp[]
  env: Readonly<Record<string, string>>
}

export type ProfileSource = 'built-in' | 'user' | 'live'

/** What is known of a cluster. */
export type Profile = {
  name: string
  displayName: string
  description?: string
  /** The page its figures come from. */
  documentation?: string
  source: ProfileSource
  defaultAccount?: string
  signs: Signs
  partitions: readonly Partition[]
}
