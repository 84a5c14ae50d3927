import { MONITOR_SECONDS } from './defaults.ts'
import type { RESOURCE_MONITOR } from './keys.ts'
import type { SpecObject } from './schema.ts'
import type { JsonObject } from './types.ts'

/** What a file without `resource_monitor` gets. */
export const DEFAULT_MONITOR: JsonObject = {
  enabled: true,
  granularity: 'summary',
  sample_interval_seconds: MONITOR_SECONDS.sample,
  flush_interval_seconds: MONITOR_SECONDS.flush,
  generate_plots: false,
  jobs: { enabled: true, granularity: 'summary' },
  compute_node: null,
}

/** The stored form of `resource_monitor`, all defaults filled in. The old keys describe job monitoring when `jobs` is absent. */
export function toMonitorConfig({ get }: SpecObject<typeof RESOURCE_MONITOR>): JsonObject {
  const { jobs, compute_node: node } = get
  return {
    enabled: get.enabled?.value ?? false,
    granularity: toGranularity(get.granularity),
    sample_interval_seconds: get.sample_interval_seconds?.value ?? MONITOR_SECONDS.sample,
    flush_interval_seconds: get.flush_interval_seconds?.value ?? MONITOR_SECONDS.flush,
    generate_plots: get.generate_plots?.value ?? false,
    jobs: jobs ? { enabled: jobs.get.enabled?.value ?? false, granularity: toGranularity(jobs.get.granularity) } : null,
    compute_node: node
      ? {
          enabled: node.get.enabled?.value ?? false,
          granularity: toGranularity(node.get.granularity),
          cpu: node.get.cpu?.value ?? true,
          memory: node.get.memory?.value ?? true,
        }
      : null,
  }
}

/** Documentation in circulation also shows `Summary` and `TimeSeries`. */
function toGranularity(text: { value: string } | undefined): string {
  return text?.value.toLowerCase().startsWith('time') ? 'time_series' : 'summary'
}
