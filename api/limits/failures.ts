import { networkOf } from './network.ts'
import { createRateLimit, type Rate } from './rate.ts'
import { tooMany } from './too-many.ts'

/** Keeps guesses at tokens and passwords rare, by the address they come from. An address that the runtime does not tell has no limit. */
export type FailureLimit = {
  /** Ends a request with 429 whose address has failed too often, before anything is compared. */
  refuseGuesser(address: string | undefined): void
  /** Counts a failure; ends the request with 429 when there were too many. */
  count(address: string | undefined): void
}

export function createFailureLimit(rate: Rate, clock: () => number): FailureLimit {
  const failures = createRateLimit(rate, clock)
  function refuse(waitMs: number): void {
    if (waitMs > 0) throw tooMany('your address has shown wrong credentials too often', waitMs)
  }
  return {
    refuseGuesser(address) {
      if (address !== undefined) refuse(failures.wait(networkOf(address)))
    },
    count(address) {
      if (address !== undefined) refuse(failures.take(networkOf(address)))
    },
  }
}
