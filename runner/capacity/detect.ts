import { findInside } from '../schedulers/inside.ts'
import type { Inside } from '../schedulers/types.ts'
import { type Cores, detectCores } from './cores.ts'
import { extendIds, extendNames } from './extend.ts'
import { detectGpus, type Gpus } from './gpus.ts'
import { detectMemory, type Memory } from './memory.ts'
import { hostSystem, type System } from './system.ts'

/** What this process may use of its node, and where each figure comes from. */
export type Detected = {
  cores: Cores
  memory: Memory
  gpus: Gpus
  /** The allocation this process is in: its figures are in the others already, and nobody may offer more than they say. */
  allocation?: Inside
}

/**
 * Looks at affinity, cgroups of both versions, memory, GPUs and the allocation of a batch scheduler. Never fails: what cannot be learnt is
 * left to the runtime's word.
 *
 * Inside an allocation the scheduler decides how many cores and GPUs there are and how much memory; the machine only which ones, since
 * not every cluster confines its jobs.
 */
export function detectCapacity(
  system: System = hostSystem(),
  allocation: Inside | undefined = findInside(system),
): Detected {
  const machine = { cores: detectCores(system), memory: detectMemory(system), gpus: detectGpus(system) }
  if (allocation === undefined) return machine
  const { cores, memoryBytes, gpus } = allocation
  const source = `${allocation.scheduler} allocation ${allocation.elementId}`
  return {
    cores: cores === undefined ? machine.cores : { ids: extendIds(machine.cores.ids, cores), source },
    memory: memoryBytes === undefined ? machine.memory : { bytes: memoryBytes, source },
    gpus: gpus === undefined ? machine.gpus : { ids: extendNames(machine.gpus.ids, gpus), source },
    allocation,
  }
}
