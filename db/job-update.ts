import { noteChangedInputs } from './input-hashes.ts'
import { type ClassKey, classesFor } from './job-classes.ts'
import { replaceDependencies } from './job-links.ts'
import { job, jobText } from './schema.ts'
import { updateRow } from './table.ts'
import { run, type Unit } from './unit.ts'

/** What an update of a job may set; undefined leaves alone. Whether it is allowed has been decided (api/routes/job-rules.ts). */
export type JobChange = {
  name?: string
  command?: string
  invocation_script?: string
  priority?: number
  cancel_on_failure?: boolean
  supports_termination?: boolean
  failure_handler_id?: number
  status?: number
  depends_on_job_ids?: readonly number[]
  class?: ClassKey
}

export function* updateJob(id: number, workflowId: number, change: JobChange): Unit<void> {
  const classOf = change.class && (yield* classesFor(workflowId, [change.class]))
  yield* updateRow(job, id, {
    status: change.status,
    priority: change.priority,
    cancel_on_failure: change.cancel_on_failure === undefined ? undefined : Number(change.cancel_on_failure),
    class_id: change.class && classOf?.(change.class),
  })
  yield* updateRow(jobText, id, {
    name: change.name,
    command: change.command,
    invocation_script: change.invocation_script,
    supports_termination: change.supports_termination === undefined ? undefined : Number(change.supports_termination),
    failure_handler_id: change.failure_handler_id,
  })
  if (change.depends_on_job_ids !== undefined) yield* replaceDependencies(id, change.depends_on_job_ids)
  if ((change.command ?? change.depends_on_job_ids) !== undefined) yield* noteChangedInputs('SELECT ?', id)
}

/** Gives a job another limit of its own, from its next attempt on. */
export function* limitTime(jobId: number, seconds: number): Unit<void> {
  yield* run(
    `UPDATE job_text SET options = json_set(coalesce(options, '{}'), '$.time_limit_seconds', ?) WHERE id = ?`,
    seconds,
    jobId,
  )
}
