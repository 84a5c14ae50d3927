import type { JobLinks } from '../../db/job-links.ts'
import type { JobRow } from '../../db/jobs.ts'
import type { Unit } from '../../db/unit.ts'
import { statusWord } from '../core/status.ts'
import { needJob } from './guards.ts'
import { compact, flag, labelList, rfc3339, storedJson } from './reply.ts'

/** JobModel. With `links` the five arrays are shown too, as far as they are not empty. */
export function jobReply(row: JobRow, links?: JobLinks) {
  return {
    ...compact({
      id: row.id,
      workflow_id: row.workflow_id,
      name: row.name,
      command: row.command,
      invocation_script: row.invocation_script,
      env: storedJson(row.env),
      status: statusWord(row.status),
      priority: row.priority,
      cancel_on_blocking_job_failure: flag(row.cancel_on_failure),
      supports_termination: flag(row.supports_termination),
      resource_requirements_id: row.resource_requirements_id,
      scheduler_id: row.scheduler_id,
      failure_handler_id: row.failure_handler_id,
      attempt_id: row.attempt_id,
      labels: labelList(row.labels),
      origin: row.origin,
      compute_node_id: row.compute_node_id,
      start_time: row.started_at === null ? null : rfc3339(row.started_at),
    }),
    ...(links && Object.fromEntries(Object.entries(links).filter(([, ids]) => ids.length > 0))),
  }
}

/** The job as it stands now, for operations that have just changed it; 404 when there is none. */
export function* needJobReply(id: number): Unit<ReturnType<typeof jobReply>> {
  return jobReply(yield* needJob(id))
}
