import type { Rows, Statement, Unit } from './unit.ts'

type Results<T extends readonly Unit<unknown>[]> = { [K in keyof T]: T[K] extends Unit<infer R> ? R : never }

/**
 * Runs units side by side in as few round trips as the longest of them takes: what each wants to know next is asked together. Within a
 * trip the statements stand in the order of the units, so a later unit's first look sees an earlier one's first changes; beyond that
 * they must need nothing of each other.
 */
export function* alongside<T extends readonly Unit<unknown>[]>(...units: T): Unit<Results<T>> {
  const steps = units.map(unit => unit.next([]))
  while (steps.some(step => !step.done)) {
    const asked: Statement[] = []
    const slices = units.map((unit, k) => {
      // What nobody reads the rows of is no reason to stop.
      while (!steps[k]!.done && isBlind(groupOf(steps[k]!))) {
        const group = groupOf(steps[k]!)
        asked.push(...group)
        steps[k] = unit.next(group.map(() => []))
      }
      const first = asked.length
      if (!steps[k]!.done) asked.push(...groupOf(steps[k]!))
      return { first, end: asked.length }
    })
    const rows: Rows[] = asked.length === 0 ? [] : yield asked
    units.forEach((unit, k) => {
      const { first, end } = slices[k]!
      if (!steps[k]!.done) steps[k] = unit.next(rows.slice(first, end))
    })
  }
  return steps.map(step => step.value) as Results<T>
}

type Step = IteratorResult<readonly Statement[], unknown>

const groupOf = (step: Step): readonly Statement[] => (step.done ? [] : step.value)

const isBlind = (group: readonly Statement[]): boolean => group.every(statement => statement.blind)
