import * as v from 'valibot'
import { bool, float, integer, json, labels, optional, text } from './fields.ts'

const measured = {
  duration_seconds: optional(float),
  sample_count: optional(integer),
  peak_cpu_percent: optional(float),
  avg_cpu_percent: optional(float),
  peak_memory_bytes: optional(integer),
  avg_memory_bytes: optional(integer),
}

const described = {
  end_time: optional(text),
  is_active: optional(bool),
  time_limit: optional(text),
  scheduler_config_id: optional(integer),
  scheduler: optional(json),
  ...measured,
}

export const NewComputeNode = v.object({
  workflow_id: integer,
  hostname: text,
  pid: integer,
  start_time: text,
  num_cpus: integer,
  memory_gb: float,
  num_gpus: integer,
  num_nodes: integer,
  compute_node_type: text,
  labels: optional(labels),
  ...described,
})
export type NewComputeNode = v.InferOutput<typeof NewComputeNode>

/** Labels are settled when the node registers (contract/notes.md 19.5). */
export const ComputeNodeChange = v.object({
  hostname: optional(text),
  pid: optional(integer),
  start_time: optional(text),
  num_cpus: optional(integer),
  memory_gb: optional(float),
  num_gpus: optional(integer),
  num_nodes: optional(integer),
  compute_node_type: optional(text),
  ...described,
})
export type ComputeNodeChange = v.InferOutput<typeof ComputeNodeChange>
