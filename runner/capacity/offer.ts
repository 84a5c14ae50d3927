import { usageError } from '../command-line/error.ts'
import type { CapacityWish } from '../run-options.ts'
import type { Detected } from './detect.ts'
import type { Capacity } from './ledger.ts'

/**
 * Settles what this runner offers to jobs: what was detected, changed by what the user says. More CPUs than there are need
 * --overcommit, and their core ids are then made up beyond the machine's. Memory and GPUs are taken at the user's word, since
 * a swap device or another maker's GPU is not always seen.
 */
export function offerCapacity(wish: CapacityWish, detected: Detected): Capacity {
  const { ids, source } = detected.cores
  const cpus = wish.cpus ?? ids.length
  if (cpus > ids.length && !wish.overcommit) {
    throw usageError(
      `Cannot offer more CPUs than there are without --overcommit: --num-cpus is ${cpus}, usable here are ${ids.length} (${source})`,
    )
  }
  return {
    cores: extend(ids, cpus),
    memoryBytes: wish.memoryBytes ?? detected.memory.bytes,
    gpus: extendNames(detected.gpus.ids, wish.gpus ?? detected.gpus.ids.length),
    slots: wish.slots,
  }
}

/** The first `count` ids; when there are too few, more are made up beyond the largest. */
function extend(ids: readonly number[], count: number): number[] {
  const next = Math.max(-1, ...ids) + 1 - ids.length
  return Array.from({ length: count }, (_, index) => ids[index] ?? next + index)
}

/** The same for GPU ids, of which only indices have an order. */
function extendNames(names: readonly string[], count: number): string[] {
  const indices = names.map(name => (/^\d+$/.test(name) ? Number(name) : -1))
  return extend(indices, count).map((id, index) => names[index] ?? String(id))
}
