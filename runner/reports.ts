import { GATHER_AT_MOST_MS } from './holding.ts'
import type { CompletionEntry, StartedEntry } from './wire.ts'

/** Most completions in one batch. */
const MAX_BATCH = 1_000

type End = { entry: CompletionEntry; atMs: number }

export type Batch = { ends: readonly End[]; started: readonly StartedEntry[] }

/** What the control plane has to be told: ends of attempts, and starts of jobs that were held. */
export type Reports = {
  addEnd(entry: CompletionEntry, atMs: number): void
  addStart(entry: StartedEntry): void
  /** A job that started and ended since the last request is told in its completion alone. */
  dropStart(jobId: number): void
  readonly hasEnds: boolean
  /** When the oldest end that is not told happened. */
  readonly oldestEndMs: number
  /** When the next start has to be told, as it has gathered for long enough. */
  readonly startDueAtMs: number
  /** Takes what one request tells. What was taken counts as told until it is put back. */
  take(now: number): Batch
  /** The ends of a batch that was not answered are told again, before all others. */
  putBack(batch: Batch): void
  /** The ends that nobody has taken. */
  ends(): readonly CompletionEntry[]
}

export function createReports(): Reports {
  let ends: End[] = []
  let starts: StartedEntry[] = []

  return {
    addEnd: (entry, atMs) => void ends.push({ entry, atMs }),
    addStart: entry => void starts.push(entry),
    dropStart(jobId) {
      starts = starts.filter(entry => entry.job_id !== jobId)
    },
    get hasEnds() {
      return ends.length > 0
    },
    get oldestEndMs() {
      return ends[0]?.atMs ?? Number.POSITIVE_INFINITY
    },
    get startDueAtMs() {
      let first = Number.POSITIVE_INFINITY
      for (const { start_time } of starts) first = Math.min(first, start_time + GATHER_AT_MOST_MS)
      return first
    },
    take(now) {
      const told = ends.slice(0, MAX_BATCH)
      ends = ends.slice(told.length)
      // A held job that ends within moments is told in its completion alone.
      const isDue = ({ start_time }: StartedEntry): boolean => now - start_time >= GATHER_AT_MOST_MS
      const started = starts.filter(isDue)
      starts = starts.filter(entry => !isDue(entry))
      return { ends: told, started }
    },
    putBack(batch) {
      ends = [...batch.ends, ...ends]
    },
    ends: () => ends.map(({ entry }) => entry),
  }
}
