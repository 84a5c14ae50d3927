import { RENEWALS_PER_LEASE } from '../api/core/leases.ts'
import { createBackOff } from './back-off.ts'

/** When a runner with room asks for work again. Nothing found: twice as late each time; any progress, or news of work, and it asks at once. */
export type ClaimPace = {
  /** No claim before this moment, epoch milliseconds. */
  readonly atMs: number
  /** A claim goes out now: what is told from here on is newer than its answer. */
  asked(): void
  /** The claim got nothing. False when there is news since: then it is asked again at once. */
  foundNothing(now: number): boolean
  /** Something was claimed, or has ended. */
  progressed(): void
  /** There is more room, or there may be more work, than the last claim knew of. */
  hasNews(): void
  /** Somebody has seen work become ready. Those who look in vain each time are heard less and less often. */
  noticed(now: number): void
  /** Something is known to become ready by then. */
  notLaterThan(atMs: number): void
}

const FIRST_POLL_MS = 200
const POLL_CAP_MS = 30_000
/** The same for looks that somebody else's notice brings: the first costs nothing, so that a dependant starts within 100 ms. */
const FIRST_NOTICE_PAUSE_MS = 50
const NOTICE_PAUSE_CAP_MS = 2_000

/** Who asks for short leases wants silence to be noticed soon: without work it is heard as often as with some. */
export function createClaimPace(leaseMs: number, random?: () => number): ClaimPace {
  const pollCapMs = Math.min(POLL_CAP_MS, leaseMs / RENEWALS_PER_LEASE)
  const poll = createBackOff({ firstMs: FIRST_POLL_MS, capMs: pollCapMs, jitter: 0.1, random })
  const notices = createBackOff({ firstMs: FIRST_NOTICE_PAUSE_MS, capMs: NOTICE_PAUSE_CAP_MS, jitter: 0.5, random })
  let atMs = 0
  let news = false
  /** A notice was followed, and what it led to is not known yet. */
  let following = false
  let noticeAtMs = 0

  return {
    get atMs() {
      return atMs
    },
    asked() {
      news = false
    },
    foundNothing(now) {
      if (news) return false
      if (following) noticeAtMs = now + notices.next()
      following = false
      atMs = now + poll.next()
      return true
    },
    progressed() {
      poll.reset()
      notices.reset()
      following = false
      noticeAtMs = 0
      atMs = 0
    },
    hasNews() {
      news = true
      atMs = 0
    },
    noticed(now) {
      following = true
      if (now >= noticeAtMs) news = true
      atMs = Math.min(atMs, Math.max(now, noticeAtMs))
    },
    notLaterThan(limitMs) {
      atMs = Math.min(atMs, limitMs)
    },
  }
}
