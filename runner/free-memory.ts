import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Below this much resident memory there is nothing worth the pause of a full collection. */
const WORTH_BYTES = 140 * 2 ** 20

/**
 * Gives memory back to the system that expanding and creating a large workflow took: V8 would keep it for as long as nothing asks for
 * it, beside jobs that may need it. Takes some ten milliseconds, or nothing when little was used.
 */
export function freeMemory(): void {
  if (process.memoryUsage.rss() < WORTH_BYTES) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
