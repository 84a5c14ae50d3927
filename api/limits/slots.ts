import { tooMany } from './too-many.ts'

/** What some may have open at the same time: so many in all, and so many of one caller. */
export type Slots = {
  /** Takes one; gives what frees it, once however often it is called. Ends the request with 429 when there is none. */
  take(caller: string): () => void
}

/** When to ask again: those that are open end by themselves, not by the clock. */
const ASK_AGAIN_MS = 5_000

export function createSlots(what: string, most: { inAll: number; each: number }): Slots {
  const taken = new Map<string, number>()
  let inAll = 0

  return {
    take(caller) {
      const own = taken.get(caller) ?? 0
      if (inAll >= most.inAll) throw tooMany(`too many ${what} are open`, ASK_AGAIN_MS)
      if (own >= most.each) throw tooMany(`you have too many ${what} open`, ASK_AGAIN_MS)
      inAll++
      taken.set(caller, own + 1)
      let isFree = false
      return () => {
        if (isFree) return
        isFree = true
        inAll--
        const left = (taken.get(caller) ?? 1) - 1
        if (left === 0) taken.delete(caller)
        else taken.set(caller, left)
      }
    },
  }
}
