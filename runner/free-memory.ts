import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Below this much resident memory there is nothing worth the pause of a full collection. */
const WORTH_BYTES = 130 * 2 ** 20
/** A collection takes some 20 ms: not more often than this. */
const PAUSE_MS = 3_000

/**
 * Gives memory back to the system that V8 would keep for as long as nothing asks for it: what expanding and creating a large workflow
 * took, and the garbage of hours of small requests. A runner lives beside jobs that may need it.
 */
export function freeMemory(): void {
  if (process.memoryUsage.rss() < WORTH_BYTES) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

/** The same for regular calls, as often as one likes: at most one look in three seconds. */
export function createMemoryKeeper(clock: () => number): () => void {
  let nextMs = 0
  return () => {
    const now = clock()
    if (now < nextMs) return
    nextMs = now + PAUSE_MS
    freeMemory()
  }
}
