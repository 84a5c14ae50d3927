import { usageError } from '../command-line/error.ts'
import type { CapacityWish } from '../run-options.ts'
import type { Detected } from './detect.ts'
import { extendIds, extendNames } from './extend.ts'
import type { Capacity } from './ledger.ts'

const GIB = 2 ** 30

/**
 * Settles what this runner offers to jobs: what was detected, changed by what the user says. More CPUs or memory than there are need
 * --overcommit, and core ids are then made up beyond the machine's. GPUs are taken at the user's word, since another maker's are not
 * always seen. What a batch scheduler has granted is the limit of all three, whatever the user says: it ends who takes more.
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
  const { bytes, source: memorySource } = detected.memory
  if (wish.memoryBytes !== undefined && wish.memoryBytes > bytes && memoryBytes === undefined && !wish.overcommit) {
    throw usageError(
      `Cannot offer more memory than there is without --overcommit: --memory-gb is ${inGib(wish.memoryBytes)}, usable here are ${inGib(bytes)} (${memorySource})`,
    )
  }
  return {
    cores: extendIds(ids, atMost(cores, cpus)),
    memoryBytes: atMost(memoryBytes, wish.memoryBytes ?? detected.memory.bytes),
    gpus: extendNames(detected.gpus.ids, atMost(gpus, wish.gpus ?? detected.gpus.ids.length)),
    slots: wish.slots,
  }
}

/** Rounded down: what is shown as usable can be asked for. */
const inGib = (bytes: number): string => String(Math.floor((bytes / GIB) * 100) / 100)

const atMost = (limit: number | undefined, wanted: number): number =>
  limit === undefined ? wanted : Math.min(limit, wanted)
