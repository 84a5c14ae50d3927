/** What a workflow wants measured (spec-format.md 12). */
export type MonitorConfig = {
  sampleMs: number
  flushMs: number
  jobs: Granularity | undefined
  node: { granularity: Granularity; cpu: boolean; memory: boolean } | undefined
}

export type Granularity = 'summary' | 'time_series'

/** A workflow's `resource_monitor_config` as the wire has it: clients of any version may have made it. */
export type WireMonitorConfig = {
  enabled?: boolean
  granularity?: string
  sample_interval_seconds?: number
  flush_interval_seconds?: number
  jobs?: { enabled?: boolean; granularity?: string } | null
  compute_node?: { enabled?: boolean; granularity?: string; cpu?: boolean; memory?: boolean } | null
}

const SAMPLE_SECONDS = 10
const FLUSH_SECONDS = 300
/** A timer that is to wait for more than 24 days does not wait at all. */
const LONGEST_SECONDS = 1_000_000

/** undefined when nothing is to be measured. The old keys describe jobs when `jobs` is absent. */
export function readMonitorConfig(wire: WireMonitorConfig | null | undefined): MonitorConfig | undefined {
  if (wire === undefined || wire === null) return undefined
  const jobs = wire.jobs ?? { enabled: wire.enabled, granularity: wire.granularity }
  const node = wire.compute_node ?? {}
  if (jobs.enabled !== true && node.enabled !== true) return undefined
  return {
    sampleMs: 1000 * readSeconds(wire.sample_interval_seconds, SAMPLE_SECONDS),
    flushMs: 1000 * readSeconds(wire.flush_interval_seconds, FLUSH_SECONDS),
    jobs: jobs.enabled === true ? granularityOf(jobs.granularity) : undefined,
    node:
      node.enabled === true
        ? { granularity: granularityOf(node.granularity), cpu: node.cpu ?? true, memory: node.memory ?? true }
        : undefined,
  }
}

const granularityOf = (text: string | undefined): Granularity => (text === 'time_series' ? text : 'summary')

/** Torc takes 0 and less, and any number, which no clock can do. */
const readSeconds = (seconds: number | undefined, usual: number): number =>
  Number.isFinite(seconds) ? Math.min(LONGEST_SECONDS, Math.max(1, seconds!)) : usual
