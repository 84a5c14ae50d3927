/** How fast jobs end lately: a run speeds up and slows down, and only the last stretch tells what is left. */
export type RateMeter = {
  /** Takes note of how many jobs had ended at a moment. */
  record(atMs: number, finished: number): void
  /** Jobs per second, undefined as long as too little was seen. */
  perSecond(): number | undefined
}

const WINDOW_MS = 30_000
/** Samples closer together than this tell nothing new. */
const STEP_MS = 500
/** A guess from less than this is worse than none. */
const LEAST_MS = 1_000

export function createRateMeter(): RateMeter {
  const samples: { atMs: number; finished: number }[] = []
  let last: { atMs: number; finished: number } | undefined

  return {
    record(atMs, finished) {
      last = { atMs, finished }
      const newest = samples.at(-1)
      if (newest !== undefined && atMs - newest.atMs < STEP_MS) return
      samples.push(last)
      // The oldest that is still needed lies at or just beyond the window.
      while (samples.length > 2 && samples[1]!.atMs <= atMs - WINDOW_MS) samples.shift()
    },
    perSecond() {
      const first = samples[0]
      if (first === undefined || last === undefined || last.atMs - first.atMs < LEAST_MS) return undefined
      const finished = last.finished - first.finished
      return finished > 0 ? finished / ((last.atMs - first.atMs) / 1000) : undefined
    },
  }
}
