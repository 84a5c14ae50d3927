/** How long an idle runner waits before it asks again: doubling from the first pause to the cap; any progress starts anew. */
export type BackOff = {
  /** The pause before the next request, in milliseconds; each call doubles the one after. */
  next(): number
  reset(): void
}

/** `jitter` in 0..1 takes up to that share off each pause, so that many runners do not ask together. */
export function createBackOff(options: {
  firstMs: number
  capMs: number
  jitter?: number
  random?: () => number
}): BackOff {
  const { firstMs, capMs, jitter = 0, random = Math.random } = options
  let pauseMs = firstMs
  return {
    next() {
      const now = pauseMs
      pauseMs = Math.min(capMs, pauseMs * 2)
      return now * (1 - jitter * random())
    },
    reset() {
      pauseMs = firstMs
    },
  }
}
