import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Liveness, SubmissionState } from '../api/core/pipe/liveness.ts'
import type { PipeState, PostState } from '../api/core/pipe/state.ts'

/**
 * The tables as the migrations make them, for typed list queries (db/list.ts). Properties are named like their columns: rows come
 * straight from the driver, so they carry the names of the database. tests/db/schema.test.ts holds this against the migrations.
 */

export const workflow = sqliteTable('workflow', {
  id: integer().primaryKey(),
  name: text().notNull(),
  user: text().notNull(),
  description: text(),
  project: text(),
  state: text().notNull(),
  state_since: integer(),
  state_work: text(),
  created_at: integer().notNull(),
  run_id: integer().notNull(),
  is_canceled: integer().notNull(),
  is_archived: integer().notNull(),
  has_detected_completion_script: integer().notNull(),
  env: text(),
  jobs_sort_method: text().notNull(),
  use_pending_failed: integer().notNull(),
  enable_ro_crate: integer().notNull(),
  wait_for_new_jobs_seconds: integer().notNull(),
  ignore_workflow_completion: integer().notNull(),
  wait_for_healthy_database_minutes: integer().notNull(),
  min_time_for_new_jobs_seconds: integer().notNull(),
  expiration_buffer_seconds: integer(),
  metadata: text(),
  slurm_defaults: text(),
  execution_config: text(),
  resource_monitor_config: text(),
  json_objects: text().notNull(),
  slurm_config: text(),
  dynamic_jobs: text(),
  submission_directory: text(),
  loss_budget: integer().notNull(),
  options: text(),
  source_path: text(),
  source_hash: text(),
  access_groups: text(),
})

export const workflowCount = sqliteTable('workflow_count', {
  workflow_id: integer().notNull(),
  status: integer().notNull(),
  n: integer().notNull(),
})

export const resourceRequirements = sqliteTable('resource_requirements', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text().notNull(),
  num_cpus: integer().notNull(),
  num_gpus: integer().notNull(),
  num_nodes: integer().notNull(),
  memory: text().notNull(),
  runtime: text().notNull(),
  memory_bytes: integer().notNull(),
  runtime_seconds: real().notNull(),
})

export const jobClass = sqliteTable('job_class', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  resource_requirements_id: integer().notNull(),
  scheduler_id: integer(),
  labels: text().notNull(),
})

export const job = sqliteTable('job', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  status: integer().notNull(),
  priority: integer().notNull(),
  class_id: integer().notNull(),
  unfinished: integer().notNull(),
  unsuccessful: integer().notNull(),
  cancel_on_failure: integer().notNull(),
  attempt_id: integer().notNull(),
  losses: integer().notNull(),
  results: integer().notNull(),
  latest_result_id: integer(),
  compute_node_id: integer(),
  claim_token: text(),
  fence: integer().notNull(),
  claimed_at: integer(),
  lease_seconds: integer(),
  lease_expires_at: integer(),
  started_at: integer(),
  ready_at: integer(),
  is_held: integer().notNull(),
  waits_until: integer(),
})

export const handedBack = sqliteTable('handed_back', {
  compute_node_id: integer().notNull(),
  job_id: integer().notNull(),
  reason: text().notNull(),
  at: integer().notNull(),
})

export const nodeLease = sqliteTable('node_lease', {
  compute_node_id: integer().primaryKey(),
  expires_at: integer().notNull(),
})

export const retriedAttempt = sqliteTable('retried_attempt', {
  job_id: integer().notNull(),
  run_id: integer().notNull(),
  attempt_id: integer().notNull(),
  failure_class: text().notNull(),
  return_code: integer().notNull(),
  pause_ms: integer().notNull(),
  memory_bytes: integer().notNull(),
  runtime_seconds: real().notNull(),
  next_memory_bytes: integer().notNull(),
  next_runtime_seconds: real().notNull(),
  recovery_script: text(),
  recovery_return_code: integer(),
  recovery_message: text(),
})

export const jobText = sqliteTable('job_text', {
  id: integer().primaryKey(),
  name: text().notNull(),
  command: text().notNull(),
  invocation_script: text(),
  env: text(),
  failure_handler_id: integer(),
  supports_termination: integer().notNull(),
  origin: text(),
  input_hash: text(),
  options: text(),
})

export const jobEdge = sqliteTable('job_edge', {
  depends_on_job_id: integer().notNull(),
  job_id: integer().notNull(),
})

export const frontier = sqliteTable('frontier', {
  job_id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  unsuccessful: integer().notNull(),
  cursor: integer().notNull(),
})

export const file = sqliteTable('file', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text().notNull(),
  path: text().notNull(),
  st_mtime: real(),
  identifier: text(),
  size_bytes: integer(),
  sha256: text(),
})

export const jobFile = sqliteTable('job_file', {
  job_id: integer().notNull(),
  is_output: integer().notNull(),
  file_id: integer().notNull(),
})

export const userData = sqliteTable('user_data', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text().notNull(),
  is_ephemeral: integer().notNull(),
  data: text(),
})

export const jobUserData = sqliteTable('job_user_data', {
  job_id: integer().notNull(),
  is_output: integer().notNull(),
  user_data_id: integer().notNull(),
})

export const computeNode = sqliteTable('compute_node', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  hostname: text().notNull(),
  pid: integer().notNull(),
  start_time: text().notNull(),
  end_time: text(),
  is_active: integer(),
  num_cpus: integer().notNull(),
  memory_gb: real().notNull(),
  num_gpus: integer().notNull(),
  num_nodes: integer().notNull(),
  time_limit: text(),
  scheduler_config_id: integer(),
  compute_node_type: text().notNull(),
  scheduler: text(),
  labels: text().notNull(),
  duration_seconds: real(),
  sample_count: integer(),
  peak_cpu_percent: real(),
  avg_cpu_percent: real(),
  peak_memory_bytes: integer(),
  avg_memory_bytes: integer(),
})

export const result = sqliteTable('result', {
  id: integer().primaryKey(),
  job_id: integer().notNull(),
  workflow_id: integer().notNull(),
  run_id: integer().notNull(),
  attempt_id: integer().notNull(),
  compute_node_id: integer(),
  return_code: integer().notNull(),
  exec_time_minutes: real().notNull(),
  completion_time: text().notNull(),
  status: integer().notNull(),
  peak_memory_bytes: integer(),
  avg_memory_bytes: integer(),
  peak_cpu_percent: real(),
  avg_cpu_percent: real(),
  failure_class: text(),
  user_seconds: real(),
  system_seconds: real(),
  ready_at: real(),
  claimed_at: real(),
  launched_at: real(),
  exited_at: real(),
  recorded_at: real(),
  superseded: integer().notNull(),
})

export const lostAttempt = sqliteTable('lost_attempt', {
  job_id: integer().notNull(),
  run_id: integer().notNull(),
  attempt_id: integer().notNull(),
  failure_class: text().notNull(),
  compute_node_id: integer(),
  claim_token: text(),
  fence: integer().notNull(),
  started_at: integer(),
  ended_at: integer().notNull(),
})

export const claim = sqliteTable('claim', {
  claim_id: text().notNull(),
  workflow_id: integer().notNull(),
  token: text().notNull(),
  job_ids: text().notNull(),
  created_at: integer().notNull(),
})

export const passedOver = sqliteTable('passed_over', {
  compute_node_id: integer().notNull(),
  job_id: integer().notNull(),
  since: integer().notNull(),
})

export const streamEvent = sqliteTable('stream_event', {
  workflow_id: integer().notNull(),
  seq: integer().notNull(),
  at: integer().notNull(),
  type: text().notNull(),
  job_id: integer(),
  data: text(),
})

export const event = sqliteTable('event', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  timestamp: integer().notNull(),
  data: text().notNull(),
})

export const failureHandler = sqliteTable('failure_handler', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text().notNull(),
  rules: text().notNull(),
})

export const slurmScheduler = sqliteTable('slurm_scheduler', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text(),
  account: text().notNull(),
  gres: text(),
  mem: text(),
  nodes: integer().notNull(),
  ntasks_per_node: integer(),
  partition: text(),
  qos: text(),
  tmp: text(),
  walltime: text().notNull(),
  extra: text(),
  serialize_allocations: integer().notNull(),
})

export const action = sqliteTable('action', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  trigger_type: text().notNull(),
  action_type: text().notNull(),
  action_config: text().notNull(),
  required_triggers: integer().notNull(),
  trigger_count: integer().notNull(),
  executed: integer().notNull(),
  executed_at: text(),
  executed_by: integer(),
  persistent: integer().notNull(),
  is_recovery: integer().notNull(),
})

export const actionJob = sqliteTable('action_job', {
  job_id: integer().notNull(),
  action_id: integer().notNull(),
})

export const identity = sqliteTable('identity', {
  only_row: integer().primaryKey(),
  epoch: text().notNull(),
})

export const scheduledComputeNode = sqliteTable('scheduled_compute_node', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  scheduler_id: integer().notNull(),
  scheduler_config_id: integer().notNull(),
  scheduler_type: text().notNull(),
  status: text().notNull(),
})

export const localScheduler = sqliteTable('local_scheduler', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text(),
  memory: text(),
  num_cpus: integer(),
})

export const roCrateEntity = sqliteTable('ro_crate_entity', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  file_id: integer(),
  entity_id: text().notNull(),
  entity_type: text().notNull(),
  metadata: text().notNull(),
  metadata_is_object: integer().notNull(),
})

export const slurmStats = sqliteTable('slurm_stats', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  job_id: integer().notNull(),
  run_id: integer().notNull(),
  attempt_id: integer().notNull(),
  slurm_job_id: text(),
  max_rss_bytes: integer(),
  max_vm_size_bytes: integer(),
  max_disk_read_bytes: integer(),
  max_disk_write_bytes: integer(),
  ave_cpu_seconds: real(),
  node_list: text(),
})

export const remoteWorker = sqliteTable('remote_worker', {
  workflow_id: integer().notNull(),
  worker: text().notNull(),
})

export const task = sqliteTable('task', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  operation: text().notNull(),
  status: text().notNull(),
  parameters: text().notNull(),
  created_at_ms: integer().notNull(),
  started_at_ms: integer(),
  finished_at_ms: integer(),
  error: text(),
})

export const idempotency = sqliteTable('idempotency', {
  user: text().notNull(),
  key: text().notNull(),
  request: text().notNull(),
  reply: text().notNull(),
  created_at: integer().notNull(),
})

export const accessGroup = sqliteTable('access_group', {
  id: integer().primaryKey(),
  name: text().notNull(),
  description: text(),
  is_system: integer().notNull(),
  created_at: integer().notNull(),
})

export const accessGroupMember = sqliteTable('access_group_member', {
  id: integer().primaryKey(),
  group_id: integer().notNull(),
  user_name: text().notNull(),
  role: text().notNull(),
  created_at: integer().notNull(),
})

export const workflowAccessGroup = sqliteTable('workflow_access_group', {
  workflow_id: integer().notNull(),
  group_id: integer().notNull(),
  created_at: integer().notNull(),
})

export const adminAudit = sqliteTable('admin_audit', {
  id: integer().primaryKey(),
  user_name: text().notNull(),
  timestamp: integer().notNull(),
  sql_text: text().notNull(),
  is_write: integer().notNull(),
  allow_full_table: integer().notNull(),
  rows_affected: integer(),
  committed: integer().notNull(),
  success: integer().notNull(),
  error: text(),
})

export const adminCall = sqliteTable('admin_call', {
  id: integer().primaryKey(),
  timestamp: integer().notNull(),
  user_name: text().notNull(),
  token_id: integer(),
  operation: text().notNull(),
  detail: text(),
})

export const token = sqliteTable('token', {
  id: integer().primaryKey(),
  name: text().notNull(),
  secret_hash: text().notNull(),
  previous_hash: text(),
  previous_until: integer(),
  scopes: text().notNull(),
  user_name: text(),
  workflow_id: integer(),
  project: text(),
  parent_id: integer(),
  created_at: integer().notNull(),
  created_by: text().notNull(),
  expires_at: integer(),
  revoked_at: integer(),
  last_used_at: integer(),
})

export const writeReceipt = sqliteTable('write_receipt', {
  id: text().primaryKey(),
  at: integer().notNull(),
})

export const pipeRun = sqliteTable('pipe_run', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  state: text().$type<PipeState>().notNull(),
  state_since: integer().notNull(),
  reason: text(),
  scheduler: text().notNull(),
  directory: text().notNull(),
  key: text().notNull(),
  spec: text().notNull(),
  width: integer().notNull(),
  throttle: integer(),
  array_most: integer(),
  walltime_seconds: integer().notNull(),
  grace_seconds: integer().notNull(),
  created_at: integer().notNull(),
  paused_reason: text(),
  paused_at: integer(),
  strikes: integer().notNull(),
  last_error: text(),
  unreadable: text().notNull(),
  post_step: text(),
  post_state: text().$type<PostState>().notNull(),
  post_by: text(),
  post_return_code: integer(),
})

export const pipeMember = sqliteTable('pipe_member', {
  pipe_run_id: integer().notNull(),
  job_id: integer().notNull(),
})

export const pipeSubmission = sqliteTable('pipe_submission', {
  id: integer().primaryKey(),
  pipe_run_id: integer().notNull(),
  name: text().notNull(),
  state: text().$type<SubmissionState>().notNull(),
  width: integer().notNull(),
  reason: text().notNull(),
  inputs: text().notNull(),
  decided_at: integer().notNull(),
  acknowledged_at: integer(),
  scheduler_id: text(),
  liveness: text().$type<Liveness>().notNull(),
  misses: integer().notNull(),
  listed_at: integer(),
  queued: integer().notNull(),
  running: integer().notNull(),
  has_registered: integer().notNull(),
  message: text(),
})

export const pipeRunner = sqliteTable('pipe_runner', {
  compute_node_id: integer().primaryKey(),
  pipe_run_id: integer().notNull(),
  worker: integer().notNull(),
  submission: text(),
  heard_at: integer().notNull(),
})

export const allocationPlan = sqliteTable('allocation_plan', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  name: text().notNull(),
  config: text().notNull(),
  state: text().notNull(),
  since: integer().notNull(),
  pauses: text().notNull(),
  created_at: integer().notNull(),
})

export const allocation = sqliteTable('allocation', {
  id: integer().primaryKey(),
  workflow_id: integer().notNull(),
  plan: text().notNull(),
  name: text().notNull(),
  scheduler_type: text().notNull(),
  cluster: text().notNull(),
  queue: text().notNull(),
  width: integer().notNull(),
  nodes: integer().notNull(),
  cores: integer().notNull(),
  memory_bytes: integer().notNull(),
  gpus: integer().notNull(),
  walltime_seconds: integer().notNull(),
  directory: text().notNull(),
  state: text().notNull(),
  scheduler_id: text(),
  scheduled_compute_node_id: integer(),
  message: text(),
  reason: text(),
  created_at: integer().notNull(),
  submitted_at: integer(),
  started_at: integer(),
  ended_at: integer(),
  unneeded_since: integer(),
})

export const duty = sqliteTable('duty', {
  workflow_id: integer().notNull(),
  name: text().notNull(),
  holder: text(),
  expires_at: integer().notNull(),
  state: text(),
})

export const webhook = sqliteTable('webhook', {
  id: integer().primaryKey(),
  workflow_id: integer(),
  url: text().notNull(),
  secret: text().notNull(),
  events: text(),
  created_at: integer().notNull(),
  created_by: text().notNull(),
  failures: integer().notNull().default(0),
  failing_since: integer(),
  last_error: text(),
  due_at: integer().notNull().default(0),
  delivered_at: integer(),
  is_enabled: integer().notNull().default(1),
  pending: text(),
})

export const webhookProgress = sqliteTable('webhook_progress', {
  webhook_id: integer().notNull(),
  workflow_id: integer().notNull(),
  seq: integer().notNull(),
  ended_run: integer().notNull().default(-1),
})
