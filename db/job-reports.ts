import { sql } from 'drizzle-orm'
import { STATUS } from '../api/core/status.ts'
import { type ListRequest, listSelection, type Page } from './list.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import type { Unit } from './unit.ts'

/** Joins of jobs with the nodes and allocations they ran on (contract/notes.md 19.9). */

export type RunningJobRow = {
  job_id: number
  job_name: string
  compute_node_name: string
  scheduler_type: string
  scheduler_job_id: string | null
  /** Epoch milliseconds. */
  started_at: number | null
}

/** Running jobs with their nodes. One whose node is gone is listed too, so that the count is that of the status. */
export function* listRunningJobs(workflowId: number, request: ListRequest): Unit<Page<RunningJobRow>> {
  const selection = sql`
    SELECT j.id AS job_id, t.name AS job_name, ifnull(n.hostname, '') AS compute_node_name,
      ifnull(n.compute_node_type, 'unknown') AS scheduler_type, CAST(s.scheduler_id AS TEXT) AS scheduler_job_id, j.started_at
    FROM job AS j JOIN job_text AS t ON t.id = j.id
    LEFT JOIN compute_node AS n ON n.id = j.compute_node_id AND n.workflow_id = j.workflow_id
    LEFT JOIN scheduled_compute_node AS s ON s.id = n.scheduler->>'$.scheduler_id'
    WHERE j.workflow_id = ${workflowId} AND j.status = ${STATUS.running}`
  return yield* listSelection<RunningJobRow>(
    selection,
    ['job_id', 'job_name', 'compute_node_name', 'scheduler_type', 'scheduler_job_id', 'started_at'],
    ['job_id'],
    request,
  )
}

export type SlurmCorrelationRow = { slurm_job_id: string; job_id: number; job_name: string }

/** Which Slurm job ran which job, over all stored results. */
export function* listSlurmCorrelations(workflowId: number, request: ListRequest): Unit<Page<SlurmCorrelationRow>> {
  const step = sql.raw(String(RESULT_ID_STEP))
  const selection = sql`
    SELECT DISTINCT CAST(s.scheduler_id AS TEXT) AS slurm_job_id, j.id AS job_id, t.name AS job_name
    FROM job AS j JOIN job_text AS t ON t.id = j.id
    JOIN result AS r ON r.id BETWEEN j.id * ${step} AND j.id * ${step} + ${step} - 1
    JOIN compute_node AS n ON n.id = r.compute_node_id AND n.compute_node_type = 'slurm'
    JOIN scheduled_compute_node AS s ON s.id = n.scheduler->>'$.scheduler_id' AND s.scheduler_type = 'slurm'
    WHERE j.workflow_id = ${workflowId}`
  return yield* listSelection<SlurmCorrelationRow>(
    selection,
    ['slurm_job_id', 'job_id', 'job_name'],
    ['slurm_job_id', 'job_id'],
    request,
    ['slurm_job_id'],
  )
}
