import { JOB_STATUSES, type JobStatus } from '../api/core/status.ts'
import { all, one, type Unit } from './unit.ts'
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
  SELECT name, user, run_id, is_canceled, is_archived, has_detected_completion_script, wait_for_new_jobs_seconds, id,
    (SELECT json_group_array(n) FROM (SELECT n FROM workflow_count WHERE workflow_id = w.id ORDER BY status)) AS counts
  FROM workflow AS w WHERE state IN (${VISIBLE})`
const PROGRESS_OF_ONE = `${PROGRESS} AND id = ?`
const PROGRESS_OF_MANY = `${PROGRESS} AND id IN (SELECT value FROM json_each(?))`

type Row = Omit<Progress, 'counts'> & { id: number; counts: string }

/** Gives the progress of a workflow, unless it is hidden. */
export function* findProgress(id: number): Unit<Progress | undefined> {
  const row = yield* one<Row>(PROGRESS_OF_ONE, id)
  return row && toProgress(row)
}

/** The same for those of these workflows that can be seen. */
export function* listProgress(ids: readonly number[]): Unit<(Progress & { id: number })[]> {
  const rows = yield* all<Row>(PROGRESS_OF_MANY, JSON.stringify(ids))
  return rows.map(row => ({ ...toProgress(row), id: row.id }))
}

function toProgress({ counts, ...row }: Row): Progress {
  const numbers: number[] = JSON.parse(counts)
  const byWord = Object.fromEntries(JOB_STATUSES.map((word, status) => [word, numbers[status] ?? 0])) as StatusCounts
  return { ...row, counts: byWord }
}

/** Whether no job has been initialized yet; true also of a workflow without jobs. */
export const isUninitialized = (counts: StatusCounts): boolean =>
  JOB_STATUSES.every(word => word === 'uninitialized' || word === 'disabled' || counts[word] === 0)
