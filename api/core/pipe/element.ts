import type { PipeKey } from './key.ts'

/** What one element of an array asks the batch scheduler for. */
export type ElementSize = { cores: number; memoryBytes: number; gpus: number }

/** What the runner itself takes, beside its jobs. */
const RUNNER_MEMORY_BYTES = 512 * 2 ** 20
/** Grid Engine's h_vmem counts addresses, and Node aborts below some 700 MB of them (hpc.md 3.3). */
const RUNNER_ADDRESSES_BYTES = 2 * 2 ** 30

/** The size of an element that runs so many jobs of one key at once. */
export function elementSize(key: PipeKey, slots: number, scheduler: string): ElementSize {
  const own = scheduler === 'sge' ? RUNNER_ADDRESSES_BYTES : RUNNER_MEMORY_BYTES
  return { cores: key.num_cpus * slots, memoryBytes: key.memory * slots + own, gpus: key.num_gpus * slots }
}

/** An estimate is one: jobs that take a little longer still fit. */
const RUNTIME_SAFETY = 1.1
/** Elements start seconds after the scheduler's clock does, and many start together. */
const START_UP_SECONDS = 60

/** The shortest wall time in which a job of this estimate fits. */
export const leastWalltime = (runtimeSeconds: number): number =>
  Math.ceil(runtimeSeconds * RUNTIME_SAFETY) + START_UP_SECONDS

const MARGIN_SECONDS = { fixed: 60, share: 0.1, most: 600 }

/** How long an element claims and runs jobs: the rest of its wall time is for ending them in order (hpc.md 2.6). */
export function workingSeconds(walltimeSeconds: number): number {
  const margin = Math.min(MARGIN_SECONDS.most, MARGIN_SECONDS.fixed + MARGIN_SECONDS.share * walltimeSeconds)
  // A wall time of a minute or two has room for work all the same.
  return Math.ceil(Math.max(walltimeSeconds / 2, walltimeSeconds - margin))
}
