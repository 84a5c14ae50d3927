import * as v from 'valibot'
import { SCHEDULER_NAMES } from '../schedulers/types.ts'
import type { Policy } from './types.ts'

/**
 * What a plan is made of, as the control plane keeps it: enough for another process, on the same or another login node, to go on with
 * it. Secrets are not in it.
 */
const PlanConfigSchema = v.object({
  scheduler: v.picklist(SCHEDULER_NAMES),
  /** What rates and backlogs are counted by, over all workflows. */
  cluster: v.string(),
  queues: v.array(v.object({ name: v.string(), walltime_most_seconds: v.optional(v.number()) })),
  walltimes_seconds: v.array(v.number()),
  cpus: v.optional(v.number()),
  memory_bytes: v.optional(v.number()),
  gpus: v.optional(v.number()),
  nodes_most: v.number(),
  request_least: v.number(),
  request_most: v.number(),
  backlog: v.number(),
  utilization_least: v.number(),
  wait_most_seconds: v.number(),
  finish_within_seconds: v.optional(v.number()),
  cancel_after_seconds: v.number(),
  pend_limit_seconds: v.number(),
  submits_per_minute: v.number(),
  node_hours_per_day: v.optional(v.number()),
  array_most: v.optional(v.number()),
  idle_exit_seconds: v.number(),
  lease_seconds: v.optional(v.number()),
  labels: v.array(v.string()),
  scheduler_config_id: v.optional(v.number()),
  account: v.optional(v.string()),
  qos: v.optional(v.string()),
  reservation: v.optional(v.string()),
  prologue: v.array(v.string()),
  directives: v.array(v.string()),
  parallel_environment: v.optional(v.string()),
  memory_complex: v.optional(v.string()),
  /** Where runners on nodes find the control plane. */
  url: v.string(),
  /** Whose token runners on nodes show there; the server's own unless given. */
  token_file: v.optional(v.string()),
  ca_cert: v.optional(v.string()),
  output_dir: v.string(),
  cwd: v.string(),
})
export type PlanConfig = v.InferOutput<typeof PlanConfigSchema>

/** Reads what was stored; undefined when it is of another version of this program. */
export function parsePlanConfig(stored: unknown): PlanConfig | undefined {
  const parsed = v.safeParse(PlanConfigSchema, stored)
  return parsed.success ? parsed.output : undefined
}

/** What of it the planner goes by. */
export function policyOf(config: PlanConfig): Policy {
  return {
    queues: config.queues.map(({ name, walltime_most_seconds }) => ({
      name,
      walltimeMostSeconds: walltime_most_seconds,
    })),
    walltimesSeconds: config.walltimes_seconds,
    node: { cpus: config.cpus, memoryBytes: config.memory_bytes, gpus: config.gpus },
    nodesMost: config.nodes_most,
    requestLeast: config.request_least,
    requestMost: Math.min(config.request_most, config.array_most ?? Number.POSITIVE_INFINITY),
    backlog: config.backlog,
    utilizationLeast: config.utilization_least,
    waitMostSeconds: config.wait_most_seconds,
    finishWithinSeconds: config.finish_within_seconds,
    cancelAfterSeconds: config.cancel_after_seconds,
    submitsPerMinute: config.submits_per_minute,
    nodeSecondsPerDay: (config.node_hours_per_day ?? Number.POSITIVE_INFINITY) * 3600,
    labels: config.labels,
    schedulerConfigId: config.scheduler_config_id,
    // By srun; the others have nothing that every site has.
    spansNodes: config.scheduler === 'slurm',
  }
}
