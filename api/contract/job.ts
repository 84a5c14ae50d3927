import * as v from 'valibot'
import { bool, env, ids, integer, labels, optional, priority, status, text } from './fields.ts'

/** JobModel as a body. Fields the server sets (id, attempt_id, compute_node_id, start_time, origin) are ignored. */
const entries = {
  workflow_id: integer,
  name: text,
  command: text,
  status: optional(status),
  priority: optional(priority),
  invocation_script: optional(text),
  env: optional(env),
  cancel_on_blocking_job_failure: optional(bool),
  supports_termination: optional(bool),
  resource_requirements_id: optional(integer),
  scheduler_id: optional(integer),
  failure_handler_id: optional(integer),
  depends_on_job_ids: optional(ids),
  input_file_ids: optional(ids),
  output_file_ids: optional(ids),
  input_user_data_ids: optional(ids),
  output_user_data_ids: optional(ids),
  labels: optional(labels),
}

export const Job = v.object(entries)
export type Job = v.InferOutput<typeof Job>

export const BulkJobs = v.object({ jobs: v.array(Job) })
