import type { JobLinks } from '../../db/job-links.ts'
import type { JobChange } from '../../db/job-update.ts'
import type { JobRow } from '../../db/jobs.ts'
import type { Job } from '../contract/job.ts'
import { STATUS, statusWord } from '../core/status.ts'
import { AppError } from '../errors.ts'
import { sameEnv, sameSet } from './same.ts'

/**
 * Decides what a PUT changes in a job (contract/notes.md 9.3). A client reads the job, changes one field and writes everything back,
 * so a field that is absent or equal is no change; 422 when a field may not change, or not at this status.
 */
export function decideJobChange(stored: JobRow, links: JobLinks, body: Job): JobChange {
  const status = statusWord(stored.status)
  const open = stored.status === STATUS.uninitialized
  const name = changed(stored.name, body.name)
  const command = changed(stored.command, body.command)
  const dependsOn = changedIds(links.depends_on_job_ids, body.depends_on_job_ids)
  const envDiffers = body.env != null && Object.keys(body.env).length > 0 && !sameEnv(stored.env, body.env)

  const frozen = Object.entries({ name, command, depends_on_job_ids: dependsOn, env: envDiffers || undefined })
    .filter(([, value]) => value !== undefined)
    .map(([field]) => field)
  if (!open && frozen.length > 0) {
    throw refusal(
      `Cannot update job fields ${frozen.join(', ')} as its status is ${status}, not uninitialized`,
      frozen[0]!,
    )
  }
  if (envDiffers) throw refusal('Cannot modify env of a job as it is immutable', 'env')
  refuseImmutable(stored, links, body)
  const labels = body.labels == null ? stored.labels : body.labels.join()
  const newClass = {
    resource_requirements_id: body.resource_requirements_id ?? stored.resource_requirements_id,
    scheduler_id: body.scheduler_id || stored.scheduler_id,
    labels,
  }
  const sameClass =
    newClass.resource_requirements_id === stored.resource_requirements_id &&
    newClass.scheduler_id === stored.scheduler_id &&
    labels === stored.labels
  return {
    name,
    command,
    depends_on_job_ids: dependsOn,
    invocation_script: body.invocation_script || undefined,
    priority: body.priority ?? undefined,
    cancel_on_failure: body.cancel_on_blocking_job_failure ?? undefined,
    supports_termination: body.supports_termination ?? undefined,
    failure_handler_id: body.failure_handler_id || undefined,
    status: decideStatus(stored, body),
    class: sameClass ? undefined : newClass,
  }
}

const refusal = (message: string, field: string): AppError => new AppError('invalid', message, { field })

const changed = (stored: string, given: string): string | undefined => (given === stored ? undefined : given)

const changedIds = (stored: readonly number[], given: readonly number[] | null | undefined): number[] | undefined =>
  given == null || sameSet(stored, given) ? undefined : [...new Set(given)]

const FIXED_LINKS = ['input_file_ids', 'output_file_ids', 'input_user_data_ids', 'output_user_data_ids'] as const

function refuseImmutable(stored: JobRow, links: JobLinks, body: Job): void {
  if (body.workflow_id !== stored.workflow_id)
    throw refusal('Cannot update job as workflow_id is immutable', 'workflow_id')
  for (const field of FIXED_LINKS) {
    const given = body[field]
    if (given != null && !sameSet(links[field], given))
      throw refusal(`Cannot update job as ${field} is immutable`, field)
  }
}

/** The only move a PUT makes: an uninitialized job may be disabled. */
function decideStatus(stored: JobRow, body: Job): number | undefined {
  if (body.status == null || STATUS[body.status] === stored.status) return undefined
  if (body.status === 'disabled' && stored.status === STATUS.uninitialized) return STATUS.disabled
  const from = statusWord(stored.status)
  throw refusal(`Cannot update job status as it is immutable here: from ${from} to ${body.status}`, 'status')
}
