import { fractionOf } from '../random.ts'
import type { FaultName, FaultPlan } from './plan.ts'

/** Decides by its seed alone whom a fault hits, whatever the order in which it is asked. */
export type Dice = {
  hits(fault: FaultName, whom: string): boolean
  /** A number in 0..1 for what is left to chance about a fault. */
  fraction(fault: FaultName, whom: string): number
}

export const createDice = ({ chances, seed }: FaultPlan): Dice => ({
  hits: (fault, whom) => fractionOf(seed, `${fault} ${whom}`) < (chances.get(fault) ?? 0),
  fraction: (fault, whom) => fractionOf(seed, `${fault} ${whom} more`),
})
