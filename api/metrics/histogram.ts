import type { Labels, Sample } from './exposition.ts'

export type Histogram = {
  observe(value: number): void
  /** Counts up to each bound, then sum and count, as Prometheus reads them. */
  samples(labels?: Labels): Sample[]
}

/** Seconds, from what a look at memory takes to what nobody waits for. */
export const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export function createHistogram(bounds: readonly number[] = DURATIONS): Histogram {
  const counts = bounds.map(() => 0)
  let sum = 0
  let count = 0
  return {
    observe(value) {
      sum += value
      count++
      const at = bounds.findIndex(bound => value <= bound)
      if (at >= 0) counts[at]!++
    },
    samples(labels = {}) {
      let below = 0
      const buckets = bounds.map((bound, k): Sample => {
        below += counts[k]!
        return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below }
      })
      return [
        ...buckets,
        { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
        { suffix: '_sum', labels, value: sum },
        { suffix: '_count', labels, value: count },
      ]
    },
  }
}
