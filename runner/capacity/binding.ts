import { detectCores } from './cores.ts'
import type { Grant } from './ledger.ts'
import { hostSystem, type System } from './system.ts'

export const BINDINGS = ['core', 'none'] as const
export type Binding = (typeof BINDINGS)[number]

/**
 * Gives a function that tells to which cores a job keeps: those of its grant, or undefined where it may run on any. Grants with a core that
 * was made up beyond the machine's (--overcommit) and those of queue-depth mode, which have none, bind nothing.
 */
export function createBinding(
  binding: Binding,
  system: () => System = hostSystem,
): (grant: Grant) => readonly number[] | undefined {
  if (binding === 'none') return () => undefined
  const real = new Set(detectCores(system()).ids)
  return ({ cores }) => (cores.length > 0 && cores.every(core => real.has(core)) ? cores : undefined)
}
