import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 10
const PATIENCE_MS = 30_000

/** Looks again and again until there is something; throws after 30 s, naming what was waited for. */
export async function waitUntil<T>(what: string, look: () => T | undefined): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (performance.now() > until) throw new Error(`Cannot go on as ${what} did not come within ${PATIENCE_MS} ms`)
    await sleep(LOOK_MS)
  }
}
