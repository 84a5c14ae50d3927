/**
 * How much work a runner holds ahead of free slots, and how long completions may gather (performance.md, "Holding and gathering"):
 * short jobs are only fast when a transaction carries many of them.
 */

/** Work held is worth about this long at the rate seen. */
const HELD_WORK_MS = 100
/** Jobs that last this long or longer gain nothing from being held. */
const LONG_JOB_MS = 1_000
/** Most held jobs per job that runs. */
const HELD_PER_SLOT = 64
/** Held work that has not started by then is given back. */
export const HELD_AT_MOST_MS = 2_000
/** While every slot is busy with held work, one request in this time ... */
export const GATHER_MS = 20
/** ... and no completion waits longer than this after its exit. */
export const GATHER_AT_MOST_MS = 50
/** Held work that is handed to the launcher ahead, per running job: enough to last until the runner has looked again. */
const QUEUED_WORK_MS = 40
/** The weight of the newest job in the running mean of durations. */
const NEWEST = 0.2

export type Pace = {
  /** Tells the pace how long a job ran. */
  ended(durationMs: number): void
  /** How many jobs to hold while `running` jobs run. */
  holdTarget(running: number): number
  /** How many held jobs to queue behind each running one. */
  queueDepth(): number
}

export function createPace(): Pace {
  let meanMs: number | undefined
  return {
    ended(durationMs) {
      const ms = Math.max(durationMs, 0.5)
      meanMs = meanMs === undefined ? ms : meanMs + NEWEST * (ms - meanMs)
    },
    holdTarget(running) {
      if (meanMs === undefined || meanMs >= LONG_JOB_MS || running === 0) return 0
      return Math.min(running * HELD_PER_SLOT, Math.ceil((running * HELD_WORK_MS) / meanMs))
    },
    queueDepth: () => (meanMs === undefined ? 1 : Math.max(1, Math.ceil(QUEUED_WORK_MS / meanMs))),
  }
}

/**
 * When the next request is due, in milliseconds from now; 0 = at once. Completions go at once while a slot is free or nothing is
 * held; under full load they gather.
 */
export function gatherMs(state: {
  slotFree: boolean
  held: number
  sinceRequestMs: number
  oldestExitMs: number
}): number {
  if (state.slotFree || state.held === 0) return 0
  return Math.max(0, Math.min(GATHER_MS - state.sinceRequestMs, GATHER_AT_MOST_MS - state.oldestExitMs))
}
