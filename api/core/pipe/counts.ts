import { isComplete, JOB_STATUSES, type JobStatus, type StatusNumber, statusWord } from '../status.ts'

/** Members that are alike in all that decides about them. */
export type CountedMembers = { status: StatusNumber; n: number; isFresh: boolean; waits: boolean; fits: boolean }

/** How far the members of a run are. */
export type MemberCounts = {
  byStatus: Record<JobStatus, number>
  total: number
  /** Neither ended nor handed back. */
  open: number
  /** Handed back to their owner, whose word they wait for. */
  ejected: number
  claimable: { fresh: number; retried: number }
  /** Ready, but need more than an element has. */
  misfits: number
}

export function memberCounts(rows: readonly CountedMembers[]): MemberCounts {
  const byStatus = Object.fromEntries(JOB_STATUSES.map(word => [word, 0])) as Record<JobStatus, number>
  const counts: MemberCounts = {
    byStatus,
    total: 0,
    open: 0,
    ejected: 0,
    claimable: { fresh: 0, retried: 0 },
    misfits: 0,
  }
  for (const { status, n, isFresh, waits, fits } of rows) {
    const word = statusWord(status)
    byStatus[word] += n
    counts.total += n
    if (word === 'pending_failed') counts.ejected += n
    else if (!isComplete(word) && word !== 'disabled') counts.open += n
    if (word !== 'ready') continue
    if (!fits) counts.misfits += n
    else if (!waits) counts.claimable[isFresh ? 'fresh' : 'retried'] += n
  }
  return counts
}

/** Every member has ended, and none waits for its owner. */
export const areMembersOver = ({ open, ejected }: MemberCounts): boolean => open + ejected === 0

export const areMembersCompleted = ({ byStatus, total }: MemberCounts): boolean => byStatus.completed === total
