import { JOB_LINKS, type JobLinks } from '../../db/job-links.ts'
import type { JobRow } from '../../db/jobs.ts'
import type { Unit } from '../../db/unit.ts'
import { type JobStatus, statusWord } from '../core/status.ts'
import { needJob } from './guards.ts'
import { rfc3339 } from './reply.ts'

/** JobModel as replies carry it. */
export type JobReply = {
  id: number
  workflow_id: number
  name: string
  command: string
  status: JobStatus
  priority: number
  cancel_on_blocking_job_failure: boolean
  supports_termination: boolean
  resource_requirements_id: number
  attempt_id: number
  invocation_script?: string
  env?: Record<string, string>
  scheduler_id?: number
  failure_handler_id?: number
  labels?: string[]
  origin?: string
  compute_node_id?: number
  start_time?: string
  /** Keys of ours, as claims give them. */
  options?: Record<string, unknown>
} & Partial<JobLinks>

/**
 * Shows a job. With `links` the five arrays are shown too, as far as they are not empty. Lists show a hundred thousand, so the fields are
 * set one by one instead of filtered.
 */
export function jobReply(row: JobRow, links?: JobLinks): JobReply {
  const reply: JobReply = {
    id: row.id,
    workflow_id: row.workflow_id,
    name: row.name,
    command: row.command,
    status: statusWord(row.status),
    priority: row.priority,
    cancel_on_blocking_job_failure: row.cancel_on_failure !== 0,
    supports_termination: row.supports_termination !== 0,
    resource_requirements_id: row.resource_requirements_id,
    attempt_id: row.attempt_id,
  }
  if (row.invocation_script !== null) reply.invocation_script = row.invocation_script
  if (row.env !== null) reply.env = JSON.parse(row.env)
  if (row.scheduler_id !== null) reply.scheduler_id = row.scheduler_id
  if (row.failure_handler_id !== null) reply.failure_handler_id = row.failure_handler_id
  if (row.labels !== '') reply.labels = row.labels.split(',')
  if (row.origin !== null) reply.origin = row.origin
  if (row.compute_node_id !== null) reply.compute_node_id = row.compute_node_id
  if (row.started_at !== null) reply.start_time = rfc3339(row.started_at)
  if (row.options !== null) reply.options = JSON.parse(row.options)
  if (links !== undefined) {
    for (const field of JOB_LINKS) if (links[field].length > 0) reply[field] = links[field]
  }
  return reply
}

/** The job as it stands now, for operations that have just changed it; 404 when there is none. */
export function* needJobReply(id: number): Unit<JobReply> {
  return jobReply(yield* needJob(id))
}
