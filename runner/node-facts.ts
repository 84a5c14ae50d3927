import { hostname } from 'node:os'
import type { Free } from './capacity/ledger.ts'
import type { RunSettings } from './run-options.ts'

const GIB = 2 ** 30

/** What a runner's node is registered with, in the words of the wire. */
export const nodeFacts = (total: Free, options: RunSettings) => ({
  hostname: hostname(),
  pid: process.pid,
  start_time: new Date().toISOString(),
  num_cpus: total.cpus,
  memory_gb: total.memoryBytes / GIB,
  num_gpus: total.gpus,
  num_nodes: 1,
  time_limit: options.timeLimitSeconds === undefined ? undefined : `PT${Math.ceil(options.timeLimitSeconds)}S`,
  scheduler_config_id: options.schedulerConfigId,
  compute_node_type: 'local',
  is_active: true,
  labels: options.labels,
  scheduler: allocationOf(process.env),
})

/** By it the planner of allocations knows whose runner this is, and which element's. */
const allocationOf = ({ HEADRACE_ALLOCATION_NAME: allocation, HEADRACE_WORKER: worker = '1' }: NodeJS.ProcessEnv) =>
  allocation === undefined ? undefined : { allocation, worker: Number(worker) }

export type NodeFacts = ReturnType<typeof nodeFacts>
