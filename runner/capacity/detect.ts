import { type Cores, detectCores } from './cores.ts'
import { detectGpus, type Gpus } from './gpus.ts'
import { detectMemory, type Memory } from './memory.ts'
import { hostSystem, type System } from './system.ts'

/** What this process may use of its node, and where each figure comes from. */
export type Detected = { cores: Cores; memory: Memory; gpus: Gpus }

/** Looks at affinity, cgroups of both versions, memory and GPUs. Never fails: what cannot be learnt is left to the runtime's word. */
export function detectCapacity(system: System = hostSystem()): Detected {
  return { cores: detectCores(system), memory: detectMemory(system), gpus: detectGpus(system) }
}
