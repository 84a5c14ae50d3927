import { marginMs } from '../schedulers/end-of-allocation.ts'

/** From the start of an element until its runner can claim. */
const START_SECONDS = 15

/** How much of a wall time jobs can use. A job that asks for as much as the wall time never fits. */
export const usableSeconds = (walltimeSeconds: number): number =>
  Math.max(0, walltimeSeconds - marginMs(walltimeSeconds * 1000) / 1000 - START_SECONDS)

const MINUTE = 60
const HOUR = 3600

/** What is chosen from when the user names no wall time: the shortest that fits waits least in most queues. */
export const WALLTIMES_SECONDS: readonly number[] = [
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  12 * HOUR,
  24 * HOUR,
  48 * HOUR,
  96 * HOUR,
  168 * HOUR,
]
