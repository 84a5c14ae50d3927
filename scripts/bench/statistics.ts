export type Spread = { median: number; least: number; most: number }

/** Median and range of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), least: sorted[0]!, most: sorted.at(-1)! }
}

/** Value below which the given share of sorted values lies, between neighbours in proportion (R's type 7, Excel's PERCENTILE.INC). */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)]!
  const above = sorted[Math.ceil(at)]!
  return below + (above - below) * (at - Math.floor(at))
}
