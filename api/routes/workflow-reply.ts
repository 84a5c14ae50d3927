import type { WorkflowRow } from '../../db/workflows.ts'
import { readableMonitorConfig } from '../contract/workflow.ts'
import type { Dialect } from '../dialect.ts'
import { compact, flag, storedJson } from './reply.ts'
import { inDialect } from './text-or-object.ts'

/** The fields that are text in the old contract and objects in the new one. */
export const TEXT_OR_OBJECT = ['metadata', 'slurm_defaults', 'execution_config', 'resource_monitor_config'] as const
type TextOrObject = (typeof TEXT_OR_OBJECT)[number]

/** WorkflowModel, the union of both contracts (contract/notes.md 19.3), with the fields of 19.2 in the form the client reads. */
export function workflowReply(row: WorkflowRow, dialect: Dialect) {
  return compact({
    id: row.id,
    name: row.name,
    user: row.user,
    description: row.description,
    project: row.project,
    timestamp: new Date(row.created_at).toISOString(),
    run_id: row.run_id,
    is_canceled: flag(row.is_canceled),
    is_archived: flag(row.is_archived),
    status_id: row.id,
    env: storedJson(row.env),
    metadata: textOrObject(row, 'metadata', dialect),
    slurm_defaults: textOrObject(row, 'slurm_defaults', dialect),
    execution_config: textOrObject(row, 'execution_config', dialect),
    resource_monitor_config: textOrObject(row, 'resource_monitor_config', dialect),
    slurm_config: row.slurm_config,
    use_pending_failed: flag(row.use_pending_failed),
    enable_ro_crate: flag(row.enable_ro_crate),
    compute_node_wait_for_new_jobs_seconds: row.wait_for_new_jobs_seconds,
    compute_node_ignore_workflow_completion: flag(row.ignore_workflow_completion),
    compute_node_wait_for_healthy_database_minutes: row.wait_for_healthy_database_minutes,
    compute_node_min_time_for_new_jobs_seconds: row.min_time_for_new_jobs_seconds,
    compute_node_expiration_buffer_seconds: row.expiration_buffer_seconds,
    dynamic_jobs: storedJson(row.dynamic_jobs),
    submission_directory: row.submission_directory,
    access_groups: storedJson(row.access_groups),
    jobs_sort_method: row.jobs_sort_method,
    loss_budget: row.loss_budget,
    options: storedJson(row.options),
  })
}

/** The record that cancel and reset answer with: old clients look for the last field. */
export const workflowWithScriptFlag = (row: WorkflowRow, dialect: Dialect) => ({
  ...workflowReply(row, dialect),
  has_detected_need_to_run_completion_script: row.has_detected_completion_script !== 0,
})

function textOrObject(row: WorkflowRow, field: TextOrObject, dialect: Dialect): unknown {
  const stored = row[field]
  if (stored === null) return null
  const isObject = row.json_objects.split(',').includes(field)
  const shown = inDialect(stored, isObject, dialect)
  if (field !== 'resource_monitor_config' || typeof shown === 'string') return shown
  const config = withoutNulls(shown)
  // A text that turned into an object may hold fields of wrong types, on which readers of the new form fail too.
  return isObject ? config : readableMonitorConfig(config)
}

/** The contract has its parts as objects or not at all; a part that is null means that it is not there. */
function withoutNulls(config: unknown): unknown {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return config
  return Object.fromEntries(Object.entries(config).filter(([, part]) => part !== null))
}
