import * as v from 'valibot'
import { float, integer, optional, status, text } from './fields.ts'

const measured = {
  peak_memory_bytes: optional(integer),
  avg_memory_bytes: optional(integer),
  peak_cpu_percent: optional(float),
  avg_cpu_percent: optional(float),
}

export const NewResult = v.object({
  job_id: integer,
  workflow_id: integer,
  run_id: integer,
  attempt_id: optional(integer),
  compute_node_id: integer,
  return_code: integer,
  exec_time_minutes: float,
  completion_time: text,
  status,
  ...measured,
})
export type NewResult = v.InferOutput<typeof NewResult>

export const ResultChange = v.object({
  job_id: optional(integer),
  run_id: optional(integer),
  return_code: optional(integer),
  exec_time_minutes: optional(float),
  completion_time: optional(text),
  status: optional(status),
  ...measured,
})
export type ResultChange = v.InferOutput<typeof ResultChange>
