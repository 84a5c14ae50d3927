import type { System } from '../capacity/system.ts'
import { insideHtcondor } from './htcondor/inside.ts'
import { insideLocal } from './local/inside.ts'
import { insidePbs } from './pbs/inside.ts'
import { insideSge } from './sge/inside.ts'
import { insideSlurm } from './slurm/inside.ts'
import type { Inside, SchedulerName } from './types.ts'

type Look = (system: Pick<System, 'env' | 'read'>) => Inside | undefined

const LOOKS: readonly [SchedulerName, Look][] = [
  // Its elements may run inside an allocation of another scheduler, but not the other way round.
  ['local', insideLocal],
  ['slurm', insideSlurm],
  ['pbs', system => insidePbs('pbs', system)],
  ['torque', system => insidePbs('torque', system)],
  ['htcondor', insideHtcondor],
  // Last, since its variables have common names.
  ['sge', insideSge],
]

/** The allocation that this process is in, by its environment alone: nobody is asked. What our script says goes first. */
export function findInside(system: Pick<System, 'env' | 'read'>): Inside | undefined {
  const named = LOOKS.find(([name]) => name === system.env.HEADRACE_SCHEDULER)?.[1](system)
  if (named !== undefined) return named
  for (const [, look] of LOOKS) {
    const inside = look(system)
    if (inside !== undefined) return inside
  }
  return undefined
}
