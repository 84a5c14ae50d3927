import { STATUS } from '../api/core/status.ts'
import { type ClassKey, classesFor } from './job-classes.ts'
import { idSet, insertLinks, type JobLinks } from './job-links.ts'
import type { JobRow } from './jobs.ts'
import { reserveIds } from './reserve-ids.ts'
import { insertRows } from './rows.ts'
import { run, type Unit } from './unit.ts'

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
    origin?: 'spawn' | 'retry'
    /** Keys of ours, as JSON. */
    options?: string | null
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
  'options',
]

/**
 * Stores uninitialized jobs and gives them with their ids, in the order of the list. What they name must have been checked. With a
 * `stage` they stand under that workflow until they are moved (staged-jobs.ts).
 */
export function* insertJobs(
  workflowId: number,
  jobs: readonly NewJobValues[],
  stage = workflowId,
): Unit<(JobRow & JobLinks)[]> {
  const first = yield* reserveIds('job', jobs.length)
  const classOf = yield* classesFor(workflowId, jobs)
  const rows = jobs.map((values, index) => newRow(first + index, workflowId, values))
  yield* insertRows(
    'job',
    JOB_INSERT,
    rows.map(row => [row.id, stage, row.priority, classOf(row), row.cancel_on_failure]),
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
      row.options,
    ]),
  )
  yield* insertLinks(rows)
  yield* run(
    `UPDATE workflow_count SET n = n + ? WHERE workflow_id = ? AND status = ${STATUS.uninitialized}`,
    jobs.length,
    stage,
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
  options: values.options ?? null,
  depends_on_job_ids: idSet(values.depends_on_job_ids),
  input_file_ids: idSet(values.input_file_ids),
  output_file_ids: idSet(values.output_file_ids),
  input_user_data_ids: idSet(values.input_user_data_ids),
  output_user_data_ids: idSet(values.output_user_data_ids),
})
