/** How long claims hold (requirements.md 3). Only the server's clock counts: a runner whose clock is hours off notices nothing. */

/** The lease our runner asks for unless it is told otherwise, and what a claim gets that is taken back by a heartbeat which names none. */
export const LEASE_SECONDS = 120

/** What may be asked for: shorter ones lapse in a pause of a busy node, longer ones keep the jobs of a dead one for too long. */
export const LEASE_RANGE_SECONDS = { least: 15, most: 3600 }

/** A heartbeat is due after a third of the lease, so that two may be lost. */
export const RENEWALS_PER_LEASE = 3
