import type { SchedulerName } from './types.ts'

/** What our own script says of its allocation (script.ts). */
type OwnFacts = {
  worker?: number
  name?: string
  nodes?: number
  cores?: number
  memoryBytes?: number
  gpus?: number
  walltimeSeconds?: number
  startedAtMs?: number
  nodeRank?: number
  runnersAtOnce?: number
}

/** Reads it; empty unless the script was written for this scheduler, since variables may be left over from another allocation. */
export function ownFacts(env: NodeJS.ProcessEnv, scheduler: SchedulerName): OwnFacts {
  if (env.HEADRACE_SCHEDULER !== scheduler) return {}
  const started = count(env.HEADRACE_ALLOCATION_STARTED)
  return {
    worker: count(env.HEADRACE_WORKER),
    name: env.HEADRACE_ALLOCATION_NAME,
    nodes: count(env.HEADRACE_ALLOCATION_NODES),
    cores: count(env.HEADRACE_ALLOCATION_CORES),
    // 0 leaves it to the scheduler.
    memoryBytes: count(env.HEADRACE_ALLOCATION_MEMORY_BYTES) || undefined,
    gpus: count(env.HEADRACE_ALLOCATION_GPUS),
    walltimeSeconds: count(env.HEADRACE_ALLOCATION_WALLTIME_SECONDS),
    startedAtMs: started === undefined ? undefined : started * 1000,
    nodeRank: count(env.HEADRACE_NODE_RANK),
    runnersAtOnce: count(env.HEADRACE_ALLOCATION_RUNNERS),
  }
}

/** A whole number of an environment variable; undefined when it is none, such as Grid Engine's `undefined`. */
export const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
