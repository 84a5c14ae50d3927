import { createRandom } from '../../runner/random.ts'

/** What one simulation is about; everything in it follows from the seed. */
export type Plan = {
  seed: number
  runners: number
  hours: number
}

export const HOUR_MS = 3_600_000
export const MINUTE_MS = 60_000
/** Faults stop after this share of the time: from then on every job has to reach a final state (design.md, invariant 8). */
const FAULTY_SHARE = 0.8

export const faultsEndMs = ({ hours }: Plan): number => hours * HOUR_MS * FAULTY_SHARE

/** Draws from one seed: whole numbers, spans, chances. */
export type Chance = {
  fraction(): number
  /** From `least` up to and not including `below`. */
  between(least: number, below: number): number
  whole(least: number, most: number): number
  hits(share: number): boolean
  /** Most are shorter than the mean, some many times as long. */
  span(meanMs: number): number
}

export function createChance(seed: number): Chance {
  const fraction = createRandom(seed)
  const between = (least: number, below: number): number => least + (below - least) * fraction()
  return {
    fraction,
    between,
    whole: (least, most) => Math.floor(between(least, most + 1)),
    hits: share => fraction() < share,
    span: meanMs => -Math.log(1 - fraction()) * meanMs,
  }
}
