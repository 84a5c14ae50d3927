import { usageError } from '../command-line/error.ts'
import type { CapacityWish } from '../run-options.ts'
import type { Detected } from './detect.ts'
import { extendIds, extendNames } from './extend.ts'
import type { Capacity } from './ledger.ts'

/**
 * Settles what this runner offers to jobs: what was detected, changed by what the user says. More CPUs than there are need
 * --overcommit, and their core ids are then made up beyond the machine's. Memory and GPUs are taken at the user's word, since
 * a swap device or another maker's GPU is not always seen. What a batch scheduler has granted is the limit of all three, whatever the
 * user says: it ends who takes more.
 */
export function offerCapacity(wish: CapacityWish, detected: Detected): Capacity {
  const { ids, source } = detected.cores
  const cpus = wish.cpus ?? ids.length
  if (cpus > ids.length && !wish.overcommit) {
    throw usageError(
      `Cannot offer more CPUs than there are without --overcommit: --num-cpus is ${cpus}, usable here are ${ids.length} (${source})`,
    )
  }
  const { cores, memoryBytes, gpus } = detected.allocation ?? {}
  return {
    cores: extendIds(ids, atMost(cores, cpus)),
    memoryBytes: atMost(memoryBytes, wish.memoryBytes ?? detected.memory.bytes),
    gpus: extendNames(detected.gpus.ids, atMost(gpus, wish.gpus ?? detected.gpus.ids.length)),
    slots: wish.slots,
  }
}

const atMost = (limit: number | undefined, wanted: number): number =>
  limit === undefined ? wanted : Math.min(limit, wanted)
