import * as v from 'valibot'
import { bool, json, labels, optional, priority, text } from './fields.ts'

/** A job that a running job adds. Unlike elsewhere, an unknown field is refused (contract/notes.md 19.7). */
const SpawnJob = v.strictObject({
  name: text,
  command: text,
  /** By name. */
  resource_requirements: optional(text),
  priority: optional(priority),
  cancel_on_blocking_job_failure: optional(bool),
  /** By name, of the workflow or of this batch. */
  depends_on: optional(v.array(text)),
  labels: optional(labels),
})
export type SpawnJob = v.InferOutput<typeof SpawnJob>

export const SpawnRequest = v.strictObject({
  lineage: optional(text),
  jobs: v.array(SpawnJob),
  state: v.optional(json),
})
