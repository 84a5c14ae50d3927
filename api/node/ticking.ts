import { tick } from '../../db/tick.ts'
import type { Db } from '../../db/unit.ts'

/** How often what nobody asks for is done: rescue of lapsed leases, left-over pieces. */
const TICK_MS = 5_000

/** Runs tick again and again, never two at once; the function it gives stops that and waits for the last one. */
export function startTicking(db: Db, log: (line: string) => void): () => Promise<void> {
  let current: Promise<void> = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (!idle) return
    idle = false
    current = tick(db, Date.now())
      .catch((error: unknown) => log(`Cannot tick: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => {
        idle = true
      })
  }, TICK_MS)
  // The server keeps the process alive, not its clock.
  timer.unref()
  return () => {
    clearInterval(timer)
    return current
  }
}
