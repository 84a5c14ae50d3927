import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LaunchRecord } from './record.ts'

/** Records wait so long for company: one write serves hundreds of launches. */
const GATHER_MS = 200
const BATCH = 500
/** On a full disk records are kept in memory, the newest so many. */
const MOST_KEPT = 20_000

/**
 * Writes the records of launches to a file, one line each, in batches. A disk that is full costs no launch anything: records wait for
 * room, and only when there are too many the oldest are dropped and counted.
 */
export class RecordOutbox {
  readonly path: string
  #waiting: string[] = []
  #timer: NodeJS.Timeout | undefined
  /** A write that stopped halfway left a torn line, which the next one must not go on with. */
  #isTorn = true
  dropped = 0

  constructor(path: string) {
    this.path = path
  }

  get waiting(): number {
    return this.#waiting.length
  }

  add(record: LaunchRecord): void {
    this.#waiting.push(JSON.stringify(record))
    if (this.#waiting.length > MOST_KEPT) {
      this.#waiting.shift()
      this.dropped += 1
    }
    if (this.#waiting.length % BATCH === 0) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS).unref()
  }

  /** Writes what waits; what cannot be written waits on. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    try {
      this.#write(`${this.#isTorn ? '\n' : ''}${this.#waiting.join('\n')}\n`)
      this.#isTorn = false
      this.#waiting = []
    } catch {
      this.#isTorn = true
      this.#timer = setTimeout(() => this.flush(), GATHER_MS).unref()
    }
  }

  #write(text: string): void {
    mkdirSync(dirname(this.path), { recursive: true })
    const file = openSync(this.path, 'a', 0o600)
    try {
      const data = Buffer.from(text)
      for (let at = 0; at < data.length; ) at += writeSync(file, data, at)
    } finally {
      closeSync(file)
    }
  }
}
