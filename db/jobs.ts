import { and, eq, isNotNull, isNull, type SQL, sql } from 'drizzle-orm'
import { labelsMatch } from '../api/core/packing.ts'
import { type JobStatus, STATUS } from '../api/core/status.ts'
import { type ClassKey, listClasses } from './job-classes.ts'
import { contains, counted, equals, type ListRequest, listPage, type Page, select } from './list.ts'
import { job, jobClass, jobText } from './schema.ts'
import { all, one, type Unit } from './unit.ts'
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
  options: jobText.options,
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
  /** Keys of ours (cwd, time_limit_seconds ...), as JSON. */
  options: string | null
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
      : sql`${job.id} IN (SELECT job_id FROM job_file WHERE file_id = ${filter.needs_file_id} AND is_output = 0)`,
    filter.upstream_job_id === undefined
      ? undefined
      : sql`${job.id} IN (SELECT job_id FROM job_edge WHERE depends_on_job_id = ${filter.upstream_job_id})`,
    filter.labels === undefined ? undefined : yield* ofClassesFor(filter.workflow_id, filter.labels),
  )
  const jobs = select.select(counted).from(job)
  const readsText = [filter.name, filter.command, filter.origin_is_set].some(given => given !== undefined)
  // A million texts are looked up only where a filter reads them.
  const total = (readsText ? jobs.innerJoin(jobText, eq(jobText.id, job.id)) : jobs).$dynamic()
  const key = [{ name: 'id', by: job.id }] as const
  return yield* listPage<JobRow>(
    { rows: selectJobs().$dynamic(), total, where, sorts: SORTS, order: [job.id], key },
    request,
  )
}

function* ofClassesFor(workflowId: number, labels: readonly string[]): Unit<SQL> {
  const classes = yield* listClasses(workflowId)
  const fitting = classes.filter(row => labelsMatch(labels, row.labels))
  return sql`${job.class_id} IN (SELECT value FROM json_each(${JSON.stringify(fitting.map(({ id }) => id))}))`
}

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
