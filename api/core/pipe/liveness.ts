/** What a listing of the batch scheduler says of one submission; `unknown` when the listing failed (hpc.md 1.1). */
export type PipeVerdict = 'queued' | 'running' | 'gone' | 'unknown'

/** `unknown` counts as alive wherever something would be failed, requeued or submitted again. */
export type Liveness = 'alive' | 'gone' | 'unknown'

/**
 * How a submission stands. `intended`: decided and stored, the scheduler's answer not known. `submitted`: acknowledged. `refused`: the
 * scheduler said no. `gone`: proven to be over.
 */
export const SUBMISSION_STATES = ['intended', 'submitted', 'refused', 'gone'] as const
export type SubmissionState = (typeof SUBMISSION_STATES)[number]

export type Observed = {
  state: SubmissionState
  liveness: Liveness
  /** How many listings in a row, each begun after the acknowledgement, have missed it. */
  misses: number
  /** Epoch milliseconds of the server. */
  acknowledgedAt: number | undefined
  /** When the last listing that counted was begun. */
  listedAt: number | undefined
}

export type Sighting = { verdict: PipeVerdict; listingStartedAt: number }

/** One listing may have been made in the middle of a requeue, or by a controller that has just come back. */
const MISSES_THAT_PROVE = 2

/**
 * What is known of a submission after one more listing. Gone needs proof: two listings, each begun after the scheduler had acknowledged it and
 * after the one before, that say so. Nothing else ever makes it gone.
 */
export function observe(before: Observed, { verdict, listingStartedAt }: Sighting): Observed {
  if (before.state === 'gone' || before.state === 'refused') return before
  switch (verdict) {
    case 'unknown':
      return { ...before, liveness: 'unknown' }
    case 'queued':
    case 'running':
      return { ...before, liveness: 'alive', misses: 0, listedAt: latest(before.listedAt, listingStartedAt) }
    case 'gone':
      return miss(before, listingStartedAt)
  }
}

function miss(before: Observed, listingStartedAt: number): Observed {
  const { acknowledgedAt, listedAt } = before
  // A listing from before the submission cannot show it.
  if (acknowledgedAt === undefined || listingStartedAt <= acknowledgedAt) return before
  if (listedAt !== undefined && listingStartedAt <= listedAt) return before
  const misses = before.misses + 1
  const isGone = misses >= MISSES_THAT_PROVE
  return {
    ...before,
    misses,
    listedAt: listingStartedAt,
    state: isGone ? 'gone' : before.state,
    liveness: isGone ? 'gone' : 'alive',
  }
}

const latest = (one: number | undefined, other: number): number => Math.max(one ?? other, other)
