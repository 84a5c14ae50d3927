import type { Inside } from './types.ts'

/** A control plane takes some fifty new runners a second without keeping the others waiting. */
const FOR_EACH_MS = 20
const MOST_MS = 30_000

/** How long to wait before the first request, for a `random` number of 0 to 1: thousands that start together spread over half a minute. */
export const startDelayMs = ({ runnersAtOnce = 1 }: Pick<Inside, 'runnersAtOnce'>, random: number): number =>
  Math.min(MOST_MS, (runnersAtOnce - 1) * FOR_EACH_MS) * random
