import { isComplete, JOB_STATUSES, type JobStatus } from '../../api/core/status.ts'
import type { Paint } from './color.ts'
import { formatCount } from './format.ts'
import type { StatusCounts } from './types.ts'

/** In the order in which people ask: what is done, what went wrong, what runs, what waits. */
const SHOWN: readonly JobStatus[] = [
  'completed',
  'failed',
  'terminated',
  'canceled',
  'pending_failed',
  'running',
  'pending',
  'ready',
  'blocked',
  'uninitialized',
  'disabled',
]

const BAD: ReadonlySet<JobStatus> = new Set(['failed', 'terminated', 'pending_failed'])

/** One part per status that has jobs: `completed 12`, `failed 1`. */
export function countParts(counts: StatusCounts, paint: Paint): { text: string; painted: string }[] {
  return SHOWN.filter(status => counts[status] > 0).map(status => {
    const text = `${status} ${formatCount(counts[status])}`
    const painted = BAD.has(status) ? paint.bad(text) : status === 'completed' ? paint.good(text) : text
    return { text, painted }
  })
}

export const sumOf = (counts: StatusCounts, belongs: (status: JobStatus) => boolean): number =>
  JOB_STATUSES.reduce((sum, status) => (belongs(status) ? sum + counts[status] : sum), 0)

/** Jobs that reached an end of their own; disabled ones never will. */
export const doneCount = (counts: StatusCounts): number => sumOf(counts, isComplete)

/** Nothing is left to do and nothing went wrong: what exit code 0 means. */
export const allCompleted = (counts: StatusCounts): boolean =>
  sumOf(counts, status => status !== 'completed' && status !== 'disabled') === 0
