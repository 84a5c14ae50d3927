import type { Family } from './exposition.ts'
import { createHistogram } from './histogram.ts'

/** What this process has given out and taken back. */
export type WorkCounts = {
  claimed(jobs: number): void
  completed(jobs: number): void
  /** How old an event was when a stream was sent it, in milliseconds. */
  eventSent(lagMs: number): void
  families(): Family[]
}

export function createWorkCounts(): WorkCounts {
  const lags = createHistogram()
  let claimed = 0
  let completed = 0
  return {
    claimed(jobs) {
      claimed += jobs
    },
    completed(jobs) {
      completed += jobs
    },
    eventSent: lagMs => lags.observe(Math.max(0, lagMs) / 1_000),
    families: () => [
      {
        name: 'headrace_claimed_jobs_total',
        type: 'counter',
        help: 'Jobs given to runners.',
        samples: [{ value: claimed }],
      },
      {
        name: 'headrace_completed_jobs_total',
        type: 'counter',
        help: 'Completions taken, repeated ones too.',
        samples: [{ value: completed }],
      },
      {
        name: 'headrace_event_lag_seconds',
        type: 'histogram',
        help: 'How old the newest event of a chunk was when a stream was sent it.',
        samples: lags.samples(),
      },
    ],
  }
}
