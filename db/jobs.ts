import { and, eq, isNotNull, isNull, type SQL, sql } from 'drizzle-orm'
import { labelsMatch } from '../api/core/packing.ts'
import { type JobStatus, STATUS } from '../api/core/status.ts'
import { reserveIds } from './create-workflow.ts'
import { type ClassKey, classesFor, listClasses } from './job-classes.ts'
import { idSet, insertLinks, type JobLinks } from './job-links.ts'
import { contains, counted, equals, type ListRequest, listPage, type Page, select } from './list.ts'
import { insertRows } from './rows.ts'
import { job, jobClass, jobText } from './schema.ts'
import { all, one, run, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

const JOB_COLUMNS = {
  id: job.id,
  workflow_id: job.workflow_id,
  name: jobText.name,
  command: jobText.command,
  invocation_script: jobText.invocation_script,
  env: jobText.env,
  status: job.status,
  priority: job.priority,
  cancel_on_failure: job.cancel_on_failure,
  supports_termination: jobText.supports_termination,
  resource_requirements_id: jobClass.resource_requirements_id,
  scheduler_id: jobClass.scheduler_id,
  labels: jobClass.labels,
  failure_handler_id: jobText.failure_handler_id,
  attempt_id: job.attempt_id,
  losses: job.losses,
  origin: jobText.origin,
  compute_node_id: job.compute_node_id,
  started_at: job.started_at,
}

/** A job as replies show it: its hot and its cold half and its class in one row. */
export type JobRow = {
  id: number
  workflow_id: number
  name: string
  command: string
  invocation_script: string | null
  env: string | null
  status: number
  priority: number
  cancel_on_failure: number
  supports_termination: number
  failure_handler_id: number | null
  attempt_id: number
  losses: number
  origin: string | null
  compute_node_id: number | null
  started_at: number | null
} & ClassKey

const selectJobs = () =>
  select
    .select(JOB_COLUMNS)
    .from(job)
    .innerJoin(jobText, eq(jobText.id, job.id))
    .innerJoin(jobClass, eq(jobClass.id, job.class_id))

const FIND = selectJobs()
  .where(
    sql`${job.id} = ? AND EXISTS (SELECT 1 FROM workflow WHERE id = ${job.workflow_id} AND state IN (${sql.raw(VISIBLE)}))`,
  )
  .toSQL().sql

/** Finds a job, unless its workflow is hidden. */
export function* findJob(id: number): Unit<JobRow | undefined> {
  return yield* one<JobRow>(FIND, id)
}

export type JobFilter = {
  workflow_id: number
  status?: JobStatus
  needs_file_id?: number
  upstream_job_id?: number
  active_compute_node_id?: number
  origin_is_set?: boolean
  name?: string
  command?: string
  /** Jobs that a runner with these labels may take, whatever their status. */
  labels?: readonly string[]
}

const SORTS = {
  id: job.id,
  workflow_id: job.workflow_id,
  name: jobText.name,
  command: jobText.command,
  env: jobText.env,
  // The numbers follow the order of the enum, which is the order clients expect.
  status: job.status,
  priority: job.priority,
  cancel_on_blocking_job_failure: job.cancel_on_failure,
  supports_termination: jobText.supports_termination,
  resource_requirements_id: jobClass.resource_requirements_id,
  invocation_script: jobText.invocation_script,
  scheduler_id: jobClass.scheduler_id,
  failure_handler_id: jobText.failure_handler_id,
  attempt_id: job.attempt_id,
}

export function* listJobs(filter: JobFilter, request: ListRequest): Unit<Page<JobRow>> {
  const where = and(
    eq(job.workflow_id, filter.workflow_id),
    equals(job.status, filter.status && STATUS[filter.status]),
    equals(job.compute_node_id, filter.active_compute_node_id),
    contains(jobText.name, filter.name),
    contains(jobText.command, filter.command),
    filter.origin_is_set === undefined
      ? undefined
      : filter.origin_is_set
        ? isNotNull(jobText.origin)
        : isNull(jobText.origin),
    filter.needs_file_id === undefined
      ? undefined
      : sql`EXISTS (SELECT 1 FROM job_file f WHERE f.job_id = ${job.id} AND f.is_output = 0 AND f.file_id = ${filter.needs_file_id})`,
    filter.upstream_job_id === undefined
      ? undefined
      : sql`EXISTS (SELECT 1 FROM job_edge e WHERE e.job_id = ${job.id} AND e.depends_on_job_id = ${filter.upstream_job_id})`,
    filter.labels === undefined ? undefined : yield* ofClassesFor(filter.workflow_id, filter.labels),
  )
  const total = select.select(counted).from(job).innerJoin(jobText, eq(jobText.id, job.id)).$dynamic()
  return yield* listPage<JobRow>(
    { rows: selectJobs().$dynamic(), total, where, sorts: SORTS, order: [job.id] },
    request,
  )
}

function* ofClassesFor(workflowId: number, labels: readonly string[]): Unit<SQL> {
  const classes = yield* listClasses(workflowId)
  const fitting = classes.filter(row => labelsMatch(labels, row.labels))
  return sql`${job.class_id} IN (SELECT value FROM json_each(${JSON.stringify(fitting.map(({ id }) => id))}))`
}

export type NewJobValues = ClassKey &
  JobLinks & {
    name: string
    command: string
    invocation_script: string | null
    /** JSON of the whole environment, the workflow's included. */
    env: string | null
    priority: number
    cancel_on_failure: boolean
    supports_termination: boolean
    failure_handler_id: number | null
    origin?: 'spawn'
  }

const JOB_INSERT = ['id', 'workflow_id', 'priority', 'class_id', 'cancel_on_failure']
const TEXT_INSERT = [
  'id',
  'name',
  'command',
  'invocation_script',
  'env',
  'failure_handler_id',
  'supports_termination',
  'origin',
]

/** Stores uninitialized jobs and gives them with their ids, in the order of the list. What they name must have been checked. */
export function* insertJobs(workflowId: number, jobs: readonly NewJobValues[]): Unit<(JobRow & JobLinks)[]> {
  const first = yield* reserveIds('job', jobs.length)
  const classOf = yield* classesFor(workflowId, jobs)
  const rows = jobs.map((values, index) => newRow(first + index, workflowId, values))
  yield* insertRows(
    'job',
    JOB_INSERT,
    rows.map(row => [row.id, workflowId, row.priority, classOf(row), row.cancel_on_failure]),
  )
  yield* insertRows(
    'job_text',
    TEXT_INSERT,
    rows.map(row => [
      row.id,
      row.name,
      row.command,
      row.invocation_script,
      row.env,
      row.failure_handler_id,
      row.supports_termination,
      row.origin,
    ]),
  )
  yield* insertLinks(rows)
  yield* run(
    `UPDATE workflow_count SET n = n + ? WHERE workflow_id = ? AND status = ${STATUS.uninitialized}`,
    jobs.length,
    workflowId,
  )
  return rows
}

/**
 * A new job as it is stored: reading a hundred thousand of them back would take longer than storing them. Field by field, since
 * spreading objects would take longer still.
 */
const newRow = (id: number, workflowId: number, values: NewJobValues): JobRow & JobLinks => ({
  id,
  workflow_id: workflowId,
  name: values.name,
  command: values.command,
  invocation_script: values.invocation_script,
  env: values.env,
  status: STATUS.uninitialized,
  priority: values.priority,
  cancel_on_failure: Number(values.cancel_on_failure),
  supports_termination: Number(values.supports_termination),
  resource_requirements_id: values.resource_requirements_id,
  scheduler_id: values.scheduler_id,
  labels: values.labels,
  failure_handler_id: values.failure_handler_id,
  attempt_id: 1,
  losses: 0,
  origin: values.origin ?? null,
  compute_node_id: null,
  started_at: null,
  depends_on_job_ids: idSet(values.depends_on_job_ids),
  input_file_ids: idSet(values.input_file_ids),
  output_file_ids: idSet(values.output_file_ids),
  input_user_data_ids: idSet(values.input_user_data_ids),
  output_user_data_ids: idSet(values.output_user_data_ids),
})

/** The ids of all jobs of a workflow, ascending. */
export function* listJobIds(workflowId: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>('SELECT id FROM job WHERE workflow_id = ? ORDER BY id', workflowId)
  return rows.map(row => row.id)
}

export type NamedJob = { id: number; name: string; origin: string | null }

/** The jobs that have one of these names; several may share one. */
export function* findJobsByName(workflowId: number, names: readonly string[]): Unit<NamedJob[]> {
  return yield* all<NamedJob>(
    `SELECT j.id, t.name, t.origin FROM job AS j JOIN job_text AS t ON t.id = j.id
     WHERE j.workflow_id = ? AND t.name IN (SELECT value FROM json_each(?)) ORDER BY j.id`,
    workflowId,
    JSON.stringify(names),
  )
}
