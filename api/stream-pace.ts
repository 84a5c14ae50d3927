/** A server counts as busy when it did something for more than this share of the last while. */
const BUSY_SHARE = 0.75
/** The while that is looked at, and the turn in which the allowance is spent. */
const TURN_MS = 250
/** What all streams of a busy server may write in one second, together. */
const BYTES_PER_SECOND = 1_000_000

export type StreamPace = {
  /** Waits until this many bytes more may be written. At once when the server is not busy. */
  allow(bytes: number): Promise<void>
}

type Pacing = {
  /** The share of the time since the last call for which the server did something, 0 to 1. */
  load: () => number
  now: () => number
  sleep: (ms: number) => Promise<void>
}

/**
 * Keeps streams from slowing those who write: while the server has its hands full they share a small allowance, and hear the rest
 * once there is time. Nothing is lost by that: events are rows, and a stream reads on where it was.
 */
export function createStreamPace({ load, now, sleep }: Pacing = RUNTIME): StreamPace {
  let turnEndsAt = Number.NEGATIVE_INFINITY
  let busy = false
  let left = 0

  function beginTurn(): void {
    turnEndsAt = now() + TURN_MS
    busy = load() > BUSY_SHARE
    // A chunk larger than a turn's allowance is paid off by the turns after it.
    left = Math.min(0, left) + (BYTES_PER_SECOND * TURN_MS) / 1_000
  }

  return {
    async allow(bytes) {
      for (;;) {
        if (now() >= turnEndsAt) beginTurn()
        if (!busy || left > 0) break
        await sleep(turnEndsAt - now())
      }
      left = busy ? left - bytes : 0
    },
  }
}

type Utilization = { idle: number; active: number }
type Measured = { eventLoopUtilization?: () => Utilization }

/** Runtimes that do not tell how busy they are never count as busy. */
const RUNTIME: Pacing = {
  load: (() => {
    let before: Utilization | undefined
    return () => {
      const { eventLoopUtilization } = performance as Measured
      const current = eventLoopUtilization?.call(performance)
      if (current === undefined) return 0
      const active = current.active - (before?.active ?? 0)
      const idle = current.idle - (before?.idle ?? 0)
      before = current
      return active + idle === 0 ? 0 : active / (active + idle)
    }
  })(),
  now: () => performance.now(),
  sleep: ms => new Promise(resolve => setTimeout(resolve, Math.max(1, ms))),
}
