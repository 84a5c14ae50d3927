import { JOB_STATUSES, type JobStatus } from '../api/core/status.ts'
import { one, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

export type StatusCounts = Record<JobStatus, number>

/** How far a workflow is. Runners ask for it every round, so it is one statement over the counters that the database keeps. */
export type Progress = {
  name: string
  user: string
  run_id: number
  is_canceled: number
  is_archived: number
  has_detected_completion_script: number
  wait_for_new_jobs_seconds: number
  counts: StatusCounts
}

const PROGRESS = `
  SELECT name, user, run_id, is_canceled, is_archived, has_detected_completion_script, wait_for_new_jobs_seconds,
    (SELECT json_group_array(n) FROM (SELECT n FROM workflow_count WHERE workflow_id = w.id ORDER BY status)) AS counts
  FROM workflow AS w WHERE id = ? AND state IN (${VISIBLE})`

/** Gives the progress of a workflow, unless it is hidden. */
export function* findProgress(id: number): Unit<Progress | undefined> {
  const row = yield* one<Omit<Progress, 'counts'> & { counts: string }>(PROGRESS, id)
  if (row === undefined) return undefined
  const numbers: number[] = JSON.parse(row.counts)
  const counts = Object.fromEntries(JOB_STATUSES.map((word, status) => [word, numbers[status] ?? 0])) as StatusCounts
  return { ...row, counts }
}

/** Whether no job has been initialized yet; true also of a workflow without jobs. */
export const isUninitialized = (counts: StatusCounts): boolean =>
  JOB_STATUSES.every(word => word === 'uninitialized' || word === 'disabled' || counts[word] === 0)
