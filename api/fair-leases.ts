import { BeingInitialized } from '../db/initializing.ts'
import { extendLeases } from '../db/node-leases.ts'
import type { Db, Unit } from '../db/unit.ts'
import { refusalOfDatabase } from './unavailable.ts'

/** Who heard nothing for so long was away: shorter than any lease. */
export const AWAY_MS = 12_000

/**
 * The same database, which gives every lease its full time again with the first write after one that could not write for long: its disk was
 * full, or its server was away. No runner could renew meanwhile, so their leases must not lapse all at once. It happens in the transaction
 * of that write, before anything in it looks for lapsed leases, and not at all when that is undone.
 */
export function withFairLeases(db: Db, clock: () => number = Date.now): Db {
  /** When the first write began of those that came to nothing, or came too late, since one went well. */
  let silentSinceMs: number | undefined

  const wasAway = (): boolean => silentSinceMs !== undefined && clock() - silentSinceMs > AWAY_MS

  return {
    async write(unit, joint) {
      let isExtended = false
      // Called when its transaction begins: it may have waited behind one that hung.
      function begin<T>(work: () => Unit<T>): Unit<T> {
        silentSinceMs ??= clock()
        isExtended = wasAway()
        return isExtended ? extended(work, clock()) : work()
      }
      try {
        const value = await db.write(
          () => begin(unit),
          joint && { ...joint, runAll: all => begin(() => joint.runAll(all)) },
        )
        if (isExtended || !wasAway()) silentSinceMs = undefined
        return value
      } catch (error) {
        if (!isOutOfReach(error) && !wasAway()) silentSinceMs = undefined
        throw error
      }
    },
    read: unit => db.read(unit),
    get writeTransactions() {
      return db.writeTransactions
    },
    close: () => db.close(),
  }
}

function* extended<T>(unit: () => Unit<T>, now: number): Unit<T> {
  yield* extendLeases(now)
  return yield* unit()
}

/** Any other error comes from the unit itself: then the database has answered. */
const isOutOfReach = (error: unknown): boolean =>
  !(error instanceof BeingInitialized) && refusalOfDatabase(error)?.code === 'unavailable'
