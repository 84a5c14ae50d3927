import * as v from 'valibot'
import { bool, float, integer, text } from '../../contract/fields.ts'
import { NewWorkflow } from '../../contract/workflow.ts'
import { JobStatusCounts } from './jobs.ts'

const { access_groups: _, ...fields } = NewWorkflow.entries

export const WorkflowModel = v.object({
  ...fields,
  id: integer,
  timestamp: text,
  status_id: integer,
  run_id: integer,
  is_canceled: bool,
  is_archived: bool,
  loss_budget: integer,
  options: v.optional(v.record(v.string(), v.unknown())),
})

export const WorkflowWithScriptFlag = v.object({
  ...WorkflowModel.entries,
  has_detected_need_to_run_completion_script: bool,
})

const record = {
  id: integer,
  run_id: integer,
  is_canceled: bool,
  is_archived: bool,
  has_detected_need_to_run_completion_script: bool,
}
export const WorkflowStatusRecord = v.object(record)

export const WorkflowStatus = v.object({
  ...record,
  workflow_id: integer,
  workflow_name: text,
  workflow_user: text,
  total_jobs: integer,
  jobs_by_status: JobStatusCounts,
  is_complete: bool,
  total_exec_time_minutes: float,
  walltime_seconds: v.optional(float),
  active_compute_nodes: integer,
  pending_scheduled_nodes: integer,
  active_scheduled_nodes: integer,
  max_allocation_remaining_seconds: v.optional(integer),
  runtime_blocked_ready_jobs: integer,
  longest_ready_runtime_seconds: v.optional(integer),
  unserved_ready_labels: v.record(v.string(), integer),
})

export const Summary = v.object({
  workflow_id: integer,
  name: text,
  run_id: integer,
  wait_for_new_jobs_seconds: integer,
  active_compute_nodes: integer,
  total_jobs: integer,
  jobs_by_status: JobStatusCounts,
  is_complete: bool,
  is_canceled: bool,
})

export const IsComplete = v.object({ is_complete: bool, is_canceled: bool, needs_to_run_completion_script: bool })
export const IsUninitialized = v.object({ is_uninitialized: bool })

export const TaskModel = v.object({
  id: integer,
  workflow_id: integer,
  operation: text,
  status: v.picklist(['queued', 'running', 'succeeded', 'failed']),
  created_at_ms: integer,
  started_at_ms: v.optional(integer),
  finished_at_ms: v.optional(integer),
  error: v.optional(text),
})
export const ActiveTask = v.object({ task: v.nullable(TaskModel) })

export const Created = v.object({
  workflow_id: integer,
  job_count: integer,
  warnings: v.optional(v.array(text)),
})
export const WorkflowSource = v.object({ workflow_id: integer, source_hash: text })

export const ActionModel = v.object({
  id: integer,
  workflow_id: integer,
  trigger_type: text,
  action_type: text,
  action_config: v.unknown(),
  job_ids: v.optional(v.array(integer)),
  trigger_count: integer,
  required_triggers: integer,
  executed: bool,
  executed_at: v.optional(text),
  executed_by: v.optional(integer),
  persistent: bool,
  is_recovery: bool,
})
export const ActionClaimed = v.object({ action_id: integer, success: bool, claimed: bool })
