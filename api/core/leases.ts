/** How long claims hold (requirements.md 3). Only the server's clock counts: a runner whose clock is hours off notices nothing. */

/** The lease our runner asks for, and what a claim gets that is taken back by a heartbeat. */
export const LEASE_SECONDS = 120

/** A heartbeat is due after a third of the lease, so that two may be lost. */
export const RENEWALS_PER_LEASE = 3
