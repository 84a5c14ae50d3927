import { parseDuration } from '../api/core/duration.ts'
import { labelsMatch } from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { countActiveAllocations } from './scheduled-compute-nodes.ts'
import { all, one, type Unit } from './unit.ts'

/** What `GET status` tells beside the record and the job counts (contract/notes.md 19.4). Null fields are left out of the reply. */
export type StatusReport = {
  total_exec_time_minutes: number
  walltime_seconds: number | null
  active_compute_nodes: number
  pending_scheduled_nodes: number
  active_scheduled_nodes: number
  max_allocation_remaining_seconds: number | null
  runtime_blocked_ready_jobs: number
  longest_ready_runtime_seconds: number | null
  unserved_ready_labels: Record<string, number>
}

/** A job may be handed out this much before its node's end would stop it: the runner offers what is left plus this. */
export const RUNTIME_SLACK_SECONDS = 120

export type NodeTimes = { end_time: string | null; start_time: string; time_limit: string | null }
type NodeRow = NodeTimes & { labels: string }
type ReadyClass = { labels: string; runtime_seconds: number; n: number }

export function* readStatusReport(workflowId: number, now: number): Unit<StatusReport> {
  const nodes = yield* all<NodeRow>(
    'SELECT labels, end_time, start_time, time_limit FROM compute_node WHERE workflow_id = ? AND is_active = 1',
    workflowId,
  )
  const ready = yield* all<ReadyClass>(
    `SELECT c.labels, r.runtime_seconds, count(*) AS n
     FROM job_class AS c JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     JOIN job AS j ON j.workflow_id = c.workflow_id AND j.class_id = c.id AND j.status = ${STATUS.ready}
     WHERE c.workflow_id = ? GROUP BY c.id`,
    workflowId,
  )
  const allocations = yield* countActiveAllocations(workflowId)
  return {
    ...(yield* sumResults(workflowId)),
    active_compute_nodes: nodes.length,
    pending_scheduled_nodes: allocations.pending,
    active_scheduled_nodes: allocations.active,
    ...timeLeft(nodes, ready, now),
    unserved_ready_labels: unservedLabels(nodes, ready),
  }
}

/** Over the latest result of each job. Completion times that are no times are skipped. */
function* sumResults(workflowId: number): Unit<Pick<StatusReport, 'total_exec_time_minutes' | 'walltime_seconds'>> {
  const row = yield* one<{ minutes: number; first: number | null; last: number | null }>(
    `SELECT total(r.exec_time_minutes) AS minutes,
       min((julianday(r.completion_time) - 2440587.5) * 86400 - r.exec_time_minutes * 60) AS first,
       max((julianday(r.completion_time) - 2440587.5) * 86400) AS last
     FROM job AS j JOIN result AS r ON r.id = j.latest_result_id WHERE j.workflow_id = ?`,
    workflowId,
  )
  const { minutes, first, last } = row!
  return {
    total_exec_time_minutes: minutes,
    // julianday counts in milliseconds; its floats show more digits than that.
    walltime_seconds: first === null || last === null ? null : Math.round((last - first) * 1000) / 1000,
  }
}

type TimeLeft = Pick<
  StatusReport,
  'max_allocation_remaining_seconds' | 'runtime_blocked_ready_jobs' | 'longest_ready_runtime_seconds'
>

function timeLeft(nodes: readonly NodeRow[], ready: readonly ReadyClass[], now: number): TimeLeft {
  const remaining = (node: NodeRow): number | undefined => {
    const end = nodeEnd(node)
    return end === undefined ? undefined : Math.max(0, Math.floor((end - now) / 1000))
  }
  const known = nodes.map(remaining).filter(seconds => seconds !== undefined)
  const unlabeledNodes = nodes.filter(node => node.labels === '').map(remaining)
  const unlabeledReady = ready.filter(row => row.labels === '')
  const most = known.length === 0 ? null : Math.max(...known)
  const best = unlabeledNodes.filter(seconds => seconds !== undefined)
  // One unlabeled node without an end takes any job, so none is blocked by run time.
  if (ready.length === 0 || best.length === 0 || best.length < unlabeledNodes.length) {
    return {
      max_allocation_remaining_seconds: most,
      runtime_blocked_ready_jobs: 0,
      longest_ready_runtime_seconds: null,
    }
  }
  const limit = Math.max(...best) + RUNTIME_SLACK_SECONDS
  return {
    max_allocation_remaining_seconds: most,
    runtime_blocked_ready_jobs: unlabeledReady
      .filter(row => row.runtime_seconds > limit)
      .reduce((sum, row) => sum + row.n, 0),
    longest_ready_runtime_seconds:
      unlabeledReady.length === 0 ? null : Math.trunc(Math.max(...unlabeledReady.map(row => row.runtime_seconds))),
  }
}

/** When a node ends: as it said, or its start and its time limit together (contract/notes.md 19.18, E4). */
export function nodeEnd(node: NodeTimes): number | undefined {
  const seconds = parseDuration(node.time_limit ?? '')
  const end =
    node.end_time === null ? Date.parse(node.start_time) + (seconds ?? Number.NaN) * 1000 : Date.parse(node.end_time)
  return Number.isNaN(end) ? undefined : end
}

/** Ready jobs by label set, as far as no active node may take them. */
function unservedLabels(nodes: readonly NodeRow[], ready: readonly ReadyClass[]): Record<string, number> {
  const unserved: Record<string, number> = {}
  for (const { labels, n } of ready) {
    if (labels === '' || nodes.some(node => node.labels !== '' && labelsMatch(node.labels.split(','), labels))) continue
    unserved[labels] = (unserved[labels] ?? 0) + n
  }
  return unserved
}
