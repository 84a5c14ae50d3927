import type { Free, Grant, Ledger } from '../capacity/ledger.ts'

const NOTHING: Free = { cpus: 0, memoryBytes: 0, gpus: 0, slots: 0 }

export type Sharing = {
  /** Whether a local launch has waited so long that jobs must leave it what becomes free. */
  isClosed(): boolean
  /** A job gave something back. */
  onRelease(): void
  /** The jobs look at what is free: when local launches have some of it, they want to know when there is more. */
  onLook(): void
}

/**
 * The node's ledger as the runner's jobs see it: the same account, but when a local launch is overdue nothing seems free, neither for
 * claims nor for what is held.
 */
export function shareLedger(ledger: Ledger, { isClosed, onRelease, onLook }: Sharing): Ledger {
  function ifOpen<T>(answer: () => T, closed: T): T {
    onLook()
    return isClosed() ? closed : answer()
  }
  return {
    ...ledger,
    reserve: need => ifOpen(() => ledger.reserve(need), undefined),
    inherit: (grant: Grant, need) => ifOpen(() => ledger.inherit(grant, need), undefined),
    fitsNow: need => ifOpen(() => ledger.fitsNow(need), false),
    free: () => ifOpen(() => ledger.free(), NOTHING),
    release(grant) {
      ledger.release(grant)
      onRelease()
    },
    handOver(ended, follower) {
      ledger.handOver(ended, follower)
      onRelease()
    },
  }
}
