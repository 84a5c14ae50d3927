import { extendLeases } from '../../db/node-leases.ts'
import { purgeOldWorkflows } from '../../db/purge.ts'
import { tick } from '../../db/tick.ts'
import type { Db } from '../../db/unit.ts'
import { AWAY_MS } from '../fair-leases.ts'

/** How often what nobody asks for is done: rescue of lapsed leases, left-over pieces. */
const TICK_MS = 5_000
/** How often old workflows are looked for: each is looked at. */
const PURGE_MS = 3_600_000

/**
 * Runs tick again and again, never two at once, and removes workflows that have been over for `retentionMs`; the function it gives
 * stops that and waits for the last one.
 */
export function startTicking(db: Db, log: (line: string) => void, retentionMs?: number): () => Promise<void> {
  let current: Promise<void> = Promise.resolve()
  let idle = true
  let lastMs = Date.now()
  /** A freeze is made good with the next tick, also one in the middle of a tick, or while nothing can be written. */
  let wasFrozen = false
  let purgeAtMs = retentionMs === undefined ? Number.POSITIVE_INFINITY : 0
  let lastTrouble = ''
  const timer = setInterval(() => {
    const now = Date.now()
    // A process that did not tick for so long was frozen, or its machine slept.
    wasFrozen ||= now - lastMs > AWAY_MS
    lastMs = now
    if (!idle) return
    idle = false
    current = makeGood(now)
      .then(() => tick(db, now))
      .then(() => purge(now))
      .then(
        () => {
          lastTrouble = ''
        },
        (error: unknown) => {
          const trouble = error instanceof Error ? error.message : String(error)
          // Trouble that stays is told once.
          if (trouble !== lastTrouble) log(`Cannot tick: ${trouble}`)
          lastTrouble = trouble
        },
      )
      .finally(() => {
        idle = true
      })
  }, TICK_MS)
  async function makeGood(now: number): Promise<void> {
    if (!wasFrozen) return
    await db.write(() => extendLeases(now))
    wasFrozen = false
  }
  async function purge(now: number): Promise<void> {
    if (now < purgeAtMs) return
    purgeAtMs = now + PURGE_MS
    for (const { id, name } of await purgeOldWorkflows(db, now - retentionMs!, now))
      log(`Removed workflow ${id} (${name}), which had been over for longer than --retention`)
  }
  // The server keeps the process alive, not its clock.
  timer.unref()
  return () => {
    clearInterval(timer)
    return current
  }
}
