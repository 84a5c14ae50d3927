import type { Exited, LauncherEvents, Started } from './types.ts'

/** Reports wait at most so long for company, as those of the native launcher do. */
const GATHER_MS = 15

/**
 * What the stand-in's shells told and the caller was not told yet. Nothing waits unless every ended launch had a follower: the slots are
 * busy, so a few milliseconds cost nothing, and one wake-up of the caller serves many jobs.
 */
export class Gathered {
  readonly #events: LauncherEvents
  #started: Started[] = []
  #exited: Exited[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(events: LauncherEvents) {
    this.#events = events
  }

  add(started: readonly Started[], exited: readonly Exited[]): void {
    this.#started.push(...started)
    this.#exited.push(...exited)
    if (started.length + exited.length > 0) this.#timer ??= setTimeout(() => this.tell(), GATHER_MS)
  }

  /** Tells all of it now, starts before exits. */
  tell(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [started, exited] = [this.#started, this.#exited]
    this.#started = []
    this.#exited = []
    if (started.length > 0) this.#events.onStarted(started)
    if (exited.length > 0) this.#events.onExited(exited)
  }
}
