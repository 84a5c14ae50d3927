import { RENEWALS_PER_LEASE } from '../api/core/leases.ts'
import type { HeartbeatReply, ToldClaim } from './wire.ts'
import type { Work } from './work.ts'

export type RenewalOptions = {
  work: Work
  /** How long a lease is. */
  leaseMs: number
  heartbeat(claims: readonly ToldClaim[]): Promise<HeartbeatReply | undefined>
  /** Claims of jobs that are not with the work any more, and not settled yet. */
  unsettled(): readonly { job_id: number; claim_token: string }[]
  clock: () => number
}

/** Keeps what a runner holds its own: one heartbeat for all of it, and parting with what is no longer its own. */
export type Renewal = {
  /** When the leases want renewing, epoch milliseconds; of no meaning while nothing is held. */
  readonly dueAtMs: number
  /** Whether some of them may have lapsed by now. */
  mayHaveLapsed(now: number): boolean
  /** Leases were granted at this moment or later: that is when the claim was first sent. `alone`: there are no others. */
  begin(sinceMs: number, alone: boolean): void
  /** Asks for a renewal at once: something of ours may have been taken back. */
  hasten(): void
  /** Renews all. `undefined` when there was no answer. */
  renew(): Promise<HeartbeatReply | undefined>
}

export function createRenewal({ work, leaseMs, heartbeat, unsettled, clock }: RenewalOptions): Renewal {
  /** So often that two renewals may be lost. */
  const renewMs = leaseMs / RENEWALS_PER_LEASE
  let renewedAtMs = clock()
  return {
    get dueAtMs() {
      return renewedAtMs + renewMs
    },
    mayHaveLapsed: now => now - renewedAtMs >= leaseMs,
    begin(sinceMs, alone) {
      renewedAtMs = alone ? sinceMs : Math.min(sinceMs, renewedAtMs)
    },
    hasten() {
      renewedAtMs = Math.min(renewedAtMs, clock() - renewMs)
    },
    async renew() {
      const now = clock()
      const ended = unsettled().map(({ job_id, claim_token }) => ({ job_id, claim_token, running: false }))
      const reply = await heartbeat([...work.claims(), ...ended])
      if (reply === undefined) return undefined
      renewedAtMs = now
      work.readopt(reply.reclaimed)
      await work.part(new Set(reply.cancel), 'canceled')
      await work.part(new Set(reply.lost), 'lost')
      return reply
    },
  }
}
