import { failureHandlersAmong } from '../../db/failure-handlers.ts'
import { insertJobs, type NewJobValues } from '../../db/insert-jobs.ts'
import { findStrangeLink, type JobLinks, NONE } from '../../db/job-links.ts'
import type { JobRow } from '../../db/jobs.ts'
import { findRequirementsByName, requirementsAmong } from '../../db/resource-requirements.ts'
import type { Unit } from '../../db/unit.ts'
import type { WorkflowRow } from '../../db/workflows.ts'
import type { Job } from '../contract/job.ts'
import { AppError } from '../errors.ts'

/**
 * Creates uninitialized jobs in one workflow and gives them in order; 422 naming the field when one names a strange row. With a `stage`
 * nobody sees them yet (db/staged-jobs.ts).
 */
export function* createJobs(workflow: WorkflowRow, jobs: readonly Job[], stage?: number): Unit<(JobRow & JobLinks)[]> {
  yield* refuseStrangeIds(workflow.id, jobs)
  const standard = yield* defaultRequirements(workflow.id, jobs)
  const merge = envMerger(workflow.env)
  return yield* insertJobs(
    workflow.id,
    jobs.map(
      (job): NewJobValues => ({
        name: job.name,
        command: job.command,
        invocation_script: job.invocation_script ?? null,
        env: merge(job.env),
        priority: job.priority ?? 0,
        cancel_on_failure: job.cancel_on_blocking_job_failure ?? true,
        supports_termination: job.supports_termination ?? false,
        resource_requirements_id: job.resource_requirements_id ?? standard,
        scheduler_id: job.scheduler_id ?? null,
        labels: job.labels?.join() ?? '',
        failure_handler_id: job.failure_handler_id ?? null,
        depends_on_job_ids: job.depends_on_job_ids ?? NONE,
        input_file_ids: job.input_file_ids ?? NONE,
        output_file_ids: job.output_file_ids ?? NONE,
        input_user_data_ids: job.input_user_data_ids ?? NONE,
        output_user_data_ids: job.output_user_data_ids ?? NONE,
      }),
    ),
    stage,
  )
}

/** 422 for ids that name nothing, or something of another workflow. */
export function* refuseStrangeIds(workflowId: number, jobs: readonly Partial<Job>[]): Unit<void> {
  const links = jobs.map(
    (job): JobLinks => ({
      depends_on_job_ids: job.depends_on_job_ids ?? NONE,
      input_file_ids: job.input_file_ids ?? NONE,
      output_file_ids: job.output_file_ids ?? NONE,
      input_user_data_ids: job.input_user_data_ids ?? NONE,
      output_user_data_ids: job.output_user_data_ids ?? NONE,
    }),
  )
  const strange = yield* findStrangeLink(workflowId, links)
  if (strange !== undefined) throw strangeId(workflowId, strange.field, strange.id)
  const named = (field: 'resource_requirements_id' | 'failure_handler_id') => [
    ...new Set(jobs.map(job => job[field]).filter(id => id != null)),
  ]
  const requirements = named('resource_requirements_id')
  const handlers = named('failure_handler_id')
  if (requirements.length > 0) {
    const known = yield* requirementsAmong(workflowId, requirements)
    const unknown = requirements.find(id => !known.has(id))
    if (unknown !== undefined) throw strangeId(workflowId, 'resource_requirements_id', unknown)
  }
  if (handlers.length > 0) {
    const known = yield* failureHandlersAmong(workflowId, handlers)
    const unknown = handlers.find(id => !known.has(id))
    if (unknown !== undefined) throw strangeId(workflowId, 'failure_handler_id', unknown)
  }
}

const strangeId = (workflowId: number, field: string, id: number): AppError =>
  new AppError('invalid', `Cannot store the job as ${field} names nothing of workflow ${workflowId}: ${id}`, {
    field,
    value: id,
  })

/** The requirement of jobs that name none; looked up only when there is such a job. */
function* defaultRequirements(workflowId: number, jobs: readonly Job[]): Unit<number> {
  if (jobs.every(job => job.resource_requirements_id != null)) return 0
  const row = yield* findRequirementsByName(workflowId, 'default')
  if (row === undefined) throw new Error(`Cannot find the default requirements of workflow ${workflowId}`)
  return row.id
}

/** The workflow's environment under the job's own, merged once at creation; jobs without one share the text. */
function envMerger(
  workflowEnv: string | null,
): (env: Readonly<Record<string, string>> | null | undefined) => string | null {
  const common: Record<string, string> = workflowEnv === null ? {} : JSON.parse(workflowEnv)
  return env => (env == null || Object.keys(env).length === 0 ? workflowEnv : JSON.stringify({ ...common, ...env }))
}
