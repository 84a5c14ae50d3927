import type { Offer } from './packing.ts'

/** What a runner asks for, after validation. Without an offer it is a queue-depth claim: requirements are ignored. */
export type ClaimRequest = {
  limit: number
  offer?: Offer
  /** The whole node. Only claims that say it honour reservations (contract/notes.md 18). */
  total?: Offer
  schedulerConfigId?: number
  strictSchedulerMatch?: boolean
  labels: readonly string[]
  claimId?: string
  leaseSeconds?: number
  computeNodeId?: number
  /** Jobs come back running, bound to the node. */
  start?: boolean
  /**
   * That many jobs more, claimed ahead of a free slot, each within the offer (the grant of a job that runs now): pending until the
   * runner says that they started.
   */
  hold?: { jobs: number; offer: Offer }
}

/** How long a job may be passed over on a node it fits before smaller jobs are kept off that node. */
export const PASSED_OVER_MS = 60_000

/** How long the answer to a claim_id is remembered. */
export const CLAIM_REMEMBERED_MS = 600_000
