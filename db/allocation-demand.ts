import { STATUS } from '../api/core/status.ts'
import { type NodeTimes, nodeEnd } from './status-report.ts'
import { all, type Unit } from './unit.ts'

/** Ready jobs that are alike: what a planner of allocations looks at, and all it looks at. */
export type ReadyGroup = {
  cpus: number
  memory_bytes: number
  gpus: number
  nodes: number
  runtime_seconds: number
  scheduler_id: number | null
  labels: string
  count: number
  ready_since: number
}

/** Jobs that wait out a pause before their next attempt are not ready for anybody yet. */
export function* listReadyGroups(workflowId: number, now: number): Unit<ReadyGroup[]> {
  return yield* all<ReadyGroup>(
    `SELECT r.num_cpus AS cpus, r.memory_bytes, r.num_gpus AS gpus, max(r.num_nodes, 1) AS nodes, r.runtime_seconds, c.scheduler_id,
       c.labels, count(*) AS count, min(ifnull(j.ready_at, ?2)) AS ready_since
     FROM job_class AS c JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     CROSS JOIN job AS j INDEXED BY job_ready
       ON j.workflow_id = c.workflow_id AND j.class_id = c.id AND j.status = ${STATUS.ready} AND j.waits_until IS NULL
     WHERE c.workflow_id = ?1 GROUP BY c.id ORDER BY c.id`,
    workflowId,
    now,
  )
}

/** A runner that works now: what it has, what its jobs use of it, and how long both last. */
export type LiveRunner = {
  id: number
  allocation: string | null
  /** Which of the allocation's elements, from 1. */
  worker: number | null
  cpus: number
  memory_bytes: number
  gpus: number
  nodes: number
  labels: string
  scheduler_config_id: number | null
  used_cpus: number
  used_memory_bytes: number
  used_gpus: number
  /** Until the last of its jobs has run for as long as it was said to; 0 when nothing runs or all are overdue. */
  busy_seconds: number
  /** Until its end; null when it has none. */
  seconds_left: number | null
}

type Row = Omit<LiveRunner, 'seconds_left'> & NodeTimes

const GIB = 2 ** 30

export function* listLiveRunners(workflowId: number, now: number): Unit<LiveRunner[]> {
  const rows = yield* all<Row>(
    `SELECT n.id, n.scheduler ->> '$.allocation' AS allocation, n.scheduler ->> '$.worker' AS worker, n.num_cpus AS cpus, CAST(n.memory_gb * ${GIB} AS INTEGER) AS memory_bytes,
       n.num_gpus AS gpus, n.num_nodes AS nodes, n.labels, n.scheduler_config_id, n.start_time, n.end_time, n.time_limit,
       ifnull(sum(r.num_cpus), 0) AS used_cpus, ifnull(sum(r.memory_bytes), 0) AS used_memory_bytes,
       ifnull(sum(r.num_gpus), 0) AS used_gpus,
       max(0, ifnull(max(ifnull(j.started_at, j.claimed_at) + r.runtime_seconds * 1000 - ?2), 0)) / 1000.0 AS busy_seconds
     FROM compute_node AS n LEFT JOIN job AS j ON j.compute_node_id = n.id LEFT JOIN job_class AS c ON c.id = j.class_id
       LEFT JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     WHERE n.workflow_id = ?1 AND n.is_active = 1 GROUP BY n.id ORDER BY n.id`,
    workflowId,
    now,
  )
  return rows.map(({ start_time, end_time, time_limit, ...runner }) => {
    const end = nodeEnd({ start_time, end_time, time_limit })
    return { ...runner, seconds_left: end === undefined ? null : Math.max(0, (end - now) / 1000) }
  })
}

/** What has been asked of one queue of a cluster, by every workflow of this control plane. */
export type QueueUse = {
  queue: string
  backlog: number
  submitted_last_minute: number
  node_seconds_last_day: number
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** What was refused cost the scheduler a call, and no node time. */
export function* listQueueUse(cluster: string, now: number): Unit<QueueUse[]> {
  return yield* all<QueueUse>(
    `SELECT queue, count(*) FILTER (WHERE state IN ('submitting', 'queued')) AS backlog,
       count(*) FILTER (WHERE created_at > ?2) AS submitted_last_minute,
       ifnull(sum(width * nodes * walltime_seconds) FILTER (WHERE state NOT IN ('refused', 'canceled') AND created_at > ?3), 0)
         AS node_seconds_last_day
     FROM allocation WHERE cluster = ?1 AND (created_at > ?3 OR state IN ('submitting', 'queued')) GROUP BY queue ORDER BY queue`,
    cluster,
    now - MINUTE_MS,
    now - DAY_MS,
  )
}
