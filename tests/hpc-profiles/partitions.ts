import type { Partition } from '../../runner/hpc/types.ts'

const GIB = 2 ** 30
const HOUR = 3600

/** A partition of nodes with 8 CPUs and 16 GiB, for 4 hours. */
export const partitionOf = (name: string, fields: Partial<Partition> = {}): Partition => ({
  name,
  cpusPerNode: 8,
  memoryBytesPerNode: 16 * GIB,
  gpusPerNode: 0,
  maxWalltimeSeconds: 4 * HOUR,
  isShared: false,
  isByNameOnly: false,
  isDefault: false,
  ...fields,
})
