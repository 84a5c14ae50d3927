import type { FreshDirectories } from './directories.ts'

/** What one run yields: figures by name. */
export type Figures = Readonly<Record<string, number>>

/** One of those that take turns. */
export type Contender = {
  name: string
  /** Runs once in a directory of its own. Throws `WrongResult` when what came out is not what had to. */
  run(directory: string): Promise<Figures>
}

export type Bound = { least: number } | { most: number }

export type Unit = 's' | 'ms' | 'µs' | '1/s' | 'MB' | 'x'

/** One row of a case's table. */
export type Line = {
  contender: string
  figure: string
  unit: Unit
  /** What the figure itself has to reach. */
  target?: Bound
  /** The same figure of another contender: the row then shows the ratio of each pair, ours to the other's. */
  against?: { contender: string; target?: Bound }
}

export type Plan = {
  contenders: readonly Contender[]
  lines: readonly Line[]
  /** Rows that cannot be had here, and why. */
  notes?: readonly string[]
  /** Too long to be repeated: one run each, without warm-up. */
  once?: boolean
}

export type Setting = {
  /** The checkout. */
  root: string
  /** Where the helper programs stand, and in `dist` what is measured. */
  bundle: string
  /** Small sizes: shows that everything runs, measures nothing. */
  quick: boolean
  durability: 'process' | 'power'
  directories: FreshDirectories
}

export type Case = {
  name: string
  about: string
  /** Makes what all runs share, and says who takes part. */
  prepare(setting: Setting): Promise<Plan>
}

/** What makes the benchmark fail: times never do. */
export class WrongResult extends Error {}
