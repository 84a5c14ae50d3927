import { setFlagsFromString } from 'node:v8'

/**
 * V8 compiles hot functions on threads of its own, which on a node full of jobs take the cores from them. The runner's JavaScript is
 * thin, so it may stay unoptimised for longer: a budget of about eight times the default. Known to Node 20's V8; newer ones have
 * other means and complain about the flag.
 */
const OPTIMIZE_LATER = process.versions.node.startsWith('20.') ? '--interrupt-budget=1000000' : undefined
/** MiB of a half of V8's young generation: a quarter of the default, so that a runner's memory stays flat over hundreds of thousands of jobs. */
const SMALL_YOUNG_GENERATION = '--max-semi-space-size=4'

/** Sets V8 up for a program that starts jobs and is to leave the node to them. To be called before anything else. */
export function tuneEngine(): void {
  if (OPTIMIZE_LATER !== undefined) setFlagsFromString(OPTIMIZE_LATER)
  setFlagsFromString(SMALL_YOUNG_GENERATION)
}
