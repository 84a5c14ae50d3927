import { and, type SQL, sql } from 'drizzle-orm'
import { JOB_STATUSES } from '../api/core/status.ts'
import { mayUse, type Subject } from './access-control.ts'
import { contains, equals, type ListRequest, listTable, type Page } from './list.ts'
import { resourceRequirements, workflow } from './schema.ts'
import { insertRow } from './table.ts'
import { one, run, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

export type WorkflowRow = typeof workflow.$inferSelect
export type WorkflowValues = Partial<typeof workflow.$inferInsert>
export type NewWorkflowValues = WorkflowValues & { name: string; user: string; created_at: number }

/** The requirement of jobs that name none. Every workflow has it from the start. */
const DEFAULT_REQUIREMENT = {
  name: 'default',
  num_cpus: 1,
  num_gpus: 0,
  num_nodes: 1,
  memory: '1m',
  runtime: 'P0DT1M',
  memory_bytes: 2 ** 20,
  runtime_seconds: 60,
}

/** Stores a workflow with its counters and its `default` requirement. */
export function* insertWorkflow(values: NewWorkflowValues): Unit<WorkflowRow> {
  const row = yield* insertRow(workflow, values)
  yield* run(
    `INSERT INTO workflow_count (workflow_id, status) VALUES ${JOB_STATUSES.map((_, status) => `(?1, ${status})`).join(', ')}`,
    row.id,
  )
  yield* insertRow(resourceRequirements, { workflow_id: row.id, ...DEFAULT_REQUIREMENT })
  return row
}

/** Finds a workflow, unless it is hidden: being created or deleted. */
export function* findWorkflow(id: number): Unit<WorkflowRow | undefined> {
  return yield* one<WorkflowRow>(`SELECT * FROM workflow WHERE id = ? AND state IN (${VISIBLE})`, id)
}

export type WorkflowFilter = {
  name?: string
  user?: string
  description?: string
  is_archived?: boolean
  /** Name of a group the workflow is linked to. */
  access_group?: string
}

const SORTS = {
  id: workflow.id,
  status_id: workflow.id,
  name: workflow.name,
  user: workflow.user,
  description: workflow.description,
  env: workflow.env,
  timestamp: workflow.created_at,
  project: workflow.project,
  metadata: workflow.metadata,
  compute_node_wait_for_new_jobs_seconds: workflow.wait_for_new_jobs_seconds,
  compute_node_ignore_workflow_completion: workflow.ignore_workflow_completion,
  compute_node_wait_for_healthy_database_minutes: workflow.wait_for_healthy_database_minutes,
  compute_node_min_time_for_new_jobs_seconds: workflow.min_time_for_new_jobs_seconds,
  compute_node_expiration_buffer_seconds: workflow.expiration_buffer_seconds,
  resource_monitor_config: workflow.resource_monitor_config,
  slurm_defaults: workflow.slurm_defaults,
  use_pending_failed: workflow.use_pending_failed,
  enable_ro_crate: workflow.enable_ro_crate,
  run_id: workflow.run_id,
  is_archived: workflow.is_archived,
  is_canceled: workflow.is_canceled,
  has_detected_need_to_run_completion_script: workflow.has_detected_completion_script,
  submission_directory: workflow.submission_directory,
}

/** Lists workflows; with a subject those that it may use. */
export function* listWorkflows(
  filter: WorkflowFilter,
  request: ListRequest,
  subject: Subject | undefined,
): Unit<Page<WorkflowRow>> {
  const where = and(
    yield* mayUse(workflow.id, subject),
    filter.access_group === undefined ? undefined : linkedTo(filter.access_group),
    sql`${workflow.state} IN (${sql.raw(VISIBLE)})`,
    equals(workflow.name, filter.name),
    equals(workflow.user, filter.user),
    contains(workflow.description, filter.description),
    equals(workflow.is_archived, filter.is_archived === undefined ? undefined : Number(filter.is_archived)),
  )
  return yield* listTable(workflow, where, request, SORTS)
}

const linkedTo = (group: string): SQL => sql`${workflow.id} IN (
  SELECT link.workflow_id FROM access_group JOIN workflow_access_group AS link ON link.group_id = access_group.id
  WHERE access_group.name = ${group})`
