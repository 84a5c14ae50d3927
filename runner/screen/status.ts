import { isJobStatus, JOB_STATUSES } from '../../api/core/status.ts'
import type { Paint } from './color.ts'
import { countParts, doneCount } from './counts.ts'
import { counted, formatCount } from './format.ts'
import { clean } from './text.ts'
import type { StatusCounts } from './types.ts'

/** The part of `GET /workflows/{id}/status` that is shown. */
export type WorkflowStatus = {
  workflow_id: number
  workflow_name: string
  run_id: number
  total_jobs: number
  jobs_by_status: Record<string, number>
  is_complete: boolean
  is_canceled: boolean
}

/** How far a workflow is, in two lines. */
export function renderStatus(status: WorkflowStatus, paint: Paint): string {
  const counts = readCounts(status.jobs_by_status)
  const done = `${formatCount(doneCount(counts))} of ${counted(status.total_jobs, 'job')} done`
  const state = status.is_canceled ? 'canceled' : status.is_complete ? 'finished' : 'open'
  const head = `Workflow ${status.workflow_id} (${clean(status.workflow_name)}), run ${status.run_id}: ${state}, ${done}`
  const parts = countParts(counts, paint).map(part => part.painted)
  return `${paint.strong(head)}\n${parts.join('  ')}\n`
}

/** Counts of every status from a reply, which may leave out zeros and name words of a later version. */
export function readCounts(byStatus: Record<string, number>): StatusCounts {
  const counts = Object.fromEntries(JOB_STATUSES.map(status => [status, 0])) as StatusCounts
  for (const [word, count] of Object.entries(byStatus)) if (isJobStatus(word)) counts[word] = count
  return counts
}
