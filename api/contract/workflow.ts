import * as v from 'valibot'
import { SORT_METHODS } from '../core/packing.ts'
import { bool, env, integer, isJsonObject, optional, text, textOrObject } from './fields.ts'

const DYNAMIC_JOBS_KEYS = ['max_iterations']

const dynamicJobs = v.pipe(
  v.custom<{ max_iterations?: number | null }>(isJsonObject, 'must be an object'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const unknown = Object.keys(dataset.value).find(key => !DYNAMIC_JOBS_KEYS.includes(key))
    if (unknown !== undefined) return addIssue({ message: 'may hold max_iterations only' })
    const most = dataset.value.max_iterations ?? 1
    if (!Number.isSafeInteger(most) || most < 1)
      addIssue({ message: 'is refused as max_iterations must be an integer >= 1' })
  }),
)

/** What both POST and PUT take. Fields the server sets (id, timestamp, run_id, is_canceled, is_archived) are ignored in bodies. */
const common = {
  description: optional(text),
  project: optional(text),
  metadata: optional(textOrObject),
  slurm_defaults: optional(textOrObject),
  execution_config: optional(textOrObject),
  resource_monitor_config: optional(textOrObject),
  slurm_config: optional(text),
  use_pending_failed: optional(bool),
  enable_ro_crate: optional(bool),
  compute_node_wait_for_new_jobs_seconds: optional(integer),
  compute_node_ignore_workflow_completion: optional(bool),
  compute_node_wait_for_healthy_database_minutes: optional(integer),
  compute_node_min_time_for_new_jobs_seconds: optional(integer),
  compute_node_expiration_buffer_seconds: optional(integer),
  jobs_sort_method: optional(v.picklist(SORT_METHODS, `must be one of ${SORT_METHODS.join(', ')}`)),
  env: optional(env),
  dynamic_jobs: optional(dynamicJobs),
  submission_directory: optional(text),
  access_groups: optional(v.array(text)),
}

export const NewWorkflow = v.object({ name: text, user: text, ...common })
export type NewWorkflow = v.InferOutput<typeof NewWorkflow>

/** A client that knows the contract sends name and user; one that changes a single field by hand need not. */
export const WorkflowChange = v.object({ name: optional(text), user: optional(text), ...common })
export type WorkflowChange = v.InferOutput<typeof WorkflowChange>

export const WorkflowStatusChange = v.object({
  run_id: integer,
  is_canceled: bool,
  is_archived: optional(bool),
  has_detected_need_to_run_completion_script: optional(bool),
})

export const ArchiveRequest = v.object({ is_archived: bool })

const granularity = v.picklist(['summary', 'time_series'])

/** What readers of the new contract can parse of `resource_monitor_config` (contract/notes.md 19.2). */
const MonitorConfig = v.looseObject({
  enabled: v.optional(bool),
  granularity: v.optional(granularity),
  sample_interval_seconds: v.optional(integer),
  flush_interval_seconds: v.optional(integer),
  generate_plots: v.optional(bool),
  jobs: v.optional(v.looseObject({ enabled: v.optional(bool), granularity: v.optional(granularity) })),
  compute_node: v.optional(
    v.looseObject({
      enabled: v.optional(bool),
      granularity: v.optional(granularity),
      cpu: v.optional(bool),
      memory: v.optional(bool),
    }),
  ),
})

/** Gives the configuration back when every client can parse it, else null. */
export const readableMonitorConfig = (config: unknown): unknown => (v.is(MonitorConfig, config) ? config : null)
