import type { Runs } from './rounds.ts'
import { type Spread, spreadOf } from './statistics.ts'
import type { Bound, Line, Unit } from './types.ts'

/** A row as `--json` prints it. */
export type Row = {
  contender: string
  figure: string
  unit: Unit
  runs: number
  value: Spread & { target?: Bound; reached?: boolean }
  ratio?: Spread & { to: string; target?: Bound; reached?: boolean }
}

/**
 * Turns runs into rows: medians, ranges, and ratios pair by pair, so that noise that fell on a pair cancels out. Contenders without runs
 * have no rows, and nobody is compared with them.
 */
export function rowsOf(lines: readonly Line[], runs: Runs): Row[] {
  const rows: Row[] = []
  for (const { contender, figure, unit, target, against } of lines) {
    const values = valuesOf(runs, contender, figure)
    if (values === undefined) continue
    const row: Row = { contender, figure, unit, runs: values.length, value: judged(values, target) }
    const others = against === undefined ? undefined : valuesOf(runs, against.contender, figure)
    if (against !== undefined && others !== undefined) {
      const ratios = values.map((value, index) => value / others[index]!)
      row.ratio = { to: against.contender, ...judged(ratios, against.target) }
    }
    rows.push(row)
  }
  return rows
}

function valuesOf(runs: Runs, contender: string, figure: string): number[] | undefined {
  return runs.get(contender)?.map(figures => {
    const value = figures[figure]
    if (value === undefined) throw new Error(`Cannot make a row as ${contender} yields no figure ${figure}`)
    return value
  })
}

function judged(values: readonly number[], target: Bound | undefined): Spread & { target?: Bound; reached?: boolean } {
  const spread = spreadOf(values)
  return target === undefined ? spread : { ...spread, target, reached: reaches(spread.median, target) }
}

const reaches = (value: number, bound: Bound): boolean =>
  'least' in bound ? value >= bound.least : value <= bound.most
