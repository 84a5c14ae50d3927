export type Rate = {
  /** How many may come at once after a while of none. */
  burst: number
  perSecond: number
}

export type RateLimit = {
  /** Counts one of this key and gives 0, or the milliseconds until there is room for it; then it is not counted. */
  take(key: string): number
  /** The same without counting. */
  wait(key: string): number
}

/** Keys remembered; the oldest go first. One entry is a hundred bytes or so. */
const MOST_KEYS = 50_000

/**
 * Limits how often something happens, by key: each key has a moment up to which its allowance is spent, which a new one moves on
 * (GCRA). Counts are of this process: instances do not share them.
 */
export function createRateLimit({ burst, perSecond }: Rate, clock: () => number): RateLimit {
  const stepMs = 1_000 / perSecond
  const slackMs = stepMs * (burst - 1)
  const spentUntil = new Map<string, number>()

  /** A clock that was set back must not shut anybody out for longer than the limit itself would. */
  function spent(key: string, now: number): number {
    return Math.min(Math.max(spentUntil.get(key) ?? 0, now), now + stepMs * burst)
  }

  function wait(key: string): number {
    const now = clock()
    return Math.max(0, spent(key, now) - now - slackMs)
  }

  return {
    wait,
    take(key) {
      const waitMs = wait(key)
      if (waitMs > 0) return waitMs
      const until = spent(key, clock()) + stepMs
      spentUntil.delete(key)
      spentUntil.set(key, until)
      if (spentUntil.size > MOST_KEYS) spentUntil.delete(spentUntil.keys().next().value!)
      return 0
    },
  }
}
