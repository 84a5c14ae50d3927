import type { Grant, Ledger, Need } from '../capacity/ledger.ts'

/** Nobody is overtaken after having waited this long: long beside the launches of a test suite, short for whoever waits. */
export const OVERTAKEN_AT_MOST_MS = 1_000

type Waiter<T> = { who: T; need: Need; sinceMs: number }

/**
 * Who waits for a part of a ledger: all or nothing, first come first served. What fits may overtake what does not fit yet, but nobody
 * who has waited for a second: then only what was lent before stands between him and his turn.
 */
export class GrantQueue<T> {
  readonly #ledger: Ledger
  #waiters: Waiter<T>[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** In the order of their turns. */
  get waiters(): readonly Waiter<T>[] {
    return this.#waiters
  }

  add(who: T, need: Need, now: number): void {
    this.#waiters.push({ who, need, sinceMs: now })
  }

  /** Takes back a request that is not needed any more. */
  withdraw(who: T): void {
    this.#waiters = this.#waiters.filter(waiter => waiter.who !== who)
  }

  withdrawAll(): void {
    this.#waiters = []
  }

  /** Whether somebody has waited so long that nobody else may take what he needs. The first one has waited longest. */
  isOverdue(now: number): boolean {
    const [first] = this.#waiters
    return first !== undefined && isOverdue(first, now)
  }

  /** Lends what can be lent now; to be called whenever somebody came or something became free. */
  lend(now: number): { who: T; grant: Grant }[] {
    const lent: { who: T; grant: Grant }[] = []
    const left: Waiter<T>[] = []
    let closed = this.#ledger.free().slots === 0
    for (const waiter of this.#waiters) {
      const grant = closed ? undefined : this.#ledger.reserve(waiter.need)
      if (grant === undefined) {
        left.push(waiter)
        closed ||= isOverdue(waiter, now)
      } else {
        lent.push({ who: waiter.who, grant })
        closed = this.#ledger.free().slots === 0
      }
    }
    this.#waiters = left
    return lent
  }
}

const isOverdue = ({ sinceMs }: { sinceMs: number }, now: number): boolean => now - sinceMs >= OVERTAKEN_AT_MOST_MS
