import { explainJob, type NodeFacts, type Reason } from '../api/core/explain.ts'
import type { Offer } from '../api/core/packing.ts'
import { isComplete, isUnsuccessful, JOB_STATUSES, type JobStatus, STATUS, statusWord } from '../api/core/status.ts'
import { listHandedBack } from './handed-back.ts'
import { type NodeTimes, nodeEnd, RUNTIME_SLACK_SECONDS } from './status-report.ts'
import { all, one, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

/** Why a job is not running, with the dependencies that matter by name. */
export type Explanation = {
  job_id: number
  workflow_id: number
  name: string
  status: JobStatus
  reasons: Reason[]
  /** The first of those that are not complete; of a canceled job, of those that ended without success. */
  dependencies: { job_id: number; name: string; status: JobStatus }[]
  unfinished_dependencies: number
}

/** More names help nobody; the count tells the rest. */
const MOST_DEPENDENCIES = 20

const GIB = 2 ** 30

type JobRow = {
  id: number
  workflow_id: number
  name: string
  status: number
  unfinished: number
  unsuccessful: number
  scheduler_id: number | null
  labels: string
  num_cpus: number
  num_gpus: number
  num_nodes: number
  memory_bytes: number
  runtime_seconds: number
  is_canceled: number
  holder: string | null
  lease_expires_at: number | null
  waits_until: number | null
}

const JOB = `
  SELECT j.id, j.workflow_id, t.name, j.status, j.unfinished, j.unsuccessful, c.scheduler_id, c.labels, r.num_cpus, r.num_gpus,
    r.num_nodes, r.memory_bytes, r.runtime_seconds, w.is_canceled, n.hostname AS holder, j.lease_expires_at, j.waits_until
  FROM job AS j JOIN job_text AS t ON t.id = j.id JOIN job_class AS c ON c.id = j.class_id
    JOIN resource_requirements AS r ON r.id = c.resource_requirements_id JOIN workflow AS w ON w.id = j.workflow_id
    LEFT JOIN compute_node AS n ON n.id = j.compute_node_id
  WHERE j.id = ? AND w.state IN (${VISIBLE})`

/** Explains a job from what is stored: its state, its dependencies and the active nodes. Undefined when there is no such job. */
export function* explain(jobId: number, now: number): Unit<Explanation | undefined> {
  const job = yield* one<JobRow>(JOB, jobId)
  if (job === undefined) return undefined
  const status = statusWord(job.status)
  const facts = {
    status,
    need: {
      cpus: job.num_cpus,
      memoryBytes: job.memory_bytes,
      gpus: job.num_gpus,
      nodes: job.num_nodes,
      runtimeSeconds: job.runtime_seconds,
    },
    schedulerId: job.scheduler_id,
    labels: job.labels,
    workflowCanceled: job.is_canceled !== 0,
    unfinished: job.unfinished,
    unsuccessful: job.unsuccessful,
    holder: job.holder,
    leaseExpiresAt: job.lease_expires_at,
    handedBack: yield* listHandedBack(job.id),
    pauseSeconds: job.waits_until === null ? null : Math.max(0, job.waits_until - now) / 1000,
  }
  return {
    job_id: job.id,
    workflow_id: job.workflow_id,
    name: job.name,
    status,
    reasons: explainJob(facts, yield* activeNodes(job.workflow_id, now), yield* formerOffers(job.workflow_id)),
    dependencies: yield* dependenciesOf(job.id, status),
    unfinished_dependencies: job.unfinished,
  }
}

type SizeRow = { num_cpus: number; num_gpus: number; num_nodes: number; memory_gb: number }

type NodeRow = NodeTimes &
  SizeRow & {
    hostname: string
    labels: string
    scheduler_config_id: number | null
    /** What the jobs that it holds take of it. */
    used_cpus: number
    used_memory_bytes: number
    used_gpus: number
  }

function* activeNodes(workflowId: number, now: number): Unit<NodeFacts[]> {
  const rows = yield* all<NodeRow>(
    `SELECT n.hostname, n.num_cpus, n.num_gpus, n.num_nodes, n.memory_gb, n.labels, n.scheduler_config_id, n.end_time, n.start_time,
       n.time_limit, ifnull(sum(r.num_cpus), 0) AS used_cpus, ifnull(sum(r.memory_bytes), 0) AS used_memory_bytes,
       ifnull(sum(r.num_gpus), 0) AS used_gpus
     FROM compute_node AS n LEFT JOIN job AS j ON j.compute_node_id = n.id LEFT JOIN job_class AS c ON c.id = j.class_id
       LEFT JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     WHERE n.workflow_id = ? AND n.is_active = 1 GROUP BY n.id ORDER BY n.id`,
    workflowId,
  )
  return rows.map(row => {
    const end = nodeEnd(row)
    const offer = offerOf(row)
    return {
      hostname: row.hostname,
      labels: row.labels === '' ? [] : row.labels.split(','),
      schedulerConfigId: row.scheduler_config_id,
      free: {
        cpus: Math.max(0, offer.cpus - row.used_cpus),
        memoryBytes: Math.max(0, offer.memoryBytes - row.used_memory_bytes),
        gpus: Math.max(0, offer.gpus - row.used_gpus),
      },
      offer: {
        ...offer,
        timeLimitSeconds: end === undefined ? undefined : Math.floor((end - now) / 1000) + RUNTIME_SLACK_SECONDS,
      },
    }
  })
}

/** The sizes of the nodes that were active once. */
function* formerOffers(workflowId: number): Unit<Offer[]> {
  const rows = yield* all<SizeRow>(
    `SELECT DISTINCT num_cpus, num_gpus, num_nodes, memory_gb FROM compute_node WHERE workflow_id = ? AND ifnull(is_active, 0) = 0`,
    workflowId,
  )
  return rows.map(offerOf)
}

const offerOf = (row: SizeRow): Offer => ({
  cpus: row.num_cpus,
  memoryBytes: Math.trunc(row.memory_gb * GIB),
  gpus: row.num_gpus,
  nodes: row.num_nodes,
})

/** The dependencies that hold a job up, or that had it canceled; others say nothing. */
function* dependenciesOf(jobId: number, status: JobStatus): Unit<Explanation['dependencies']> {
  const matters = status === 'canceled' ? isUnsuccessful : (word: JobStatus) => !isComplete(word)
  if (status !== 'canceled' && status !== 'blocked' && status !== 'uninitialized') return []
  const numbers = JOB_STATUSES.filter(matters).map(word => STATUS[word])
  const rows = yield* all<{ job_id: number; name: string; status: number }>(
    `SELECT e.depends_on_job_id AS job_id, t.name, d.status
     FROM job_edge AS e JOIN job AS d ON d.id = e.depends_on_job_id JOIN job_text AS t ON t.id = d.id
     WHERE e.job_id = ? AND d.status IN (${numbers.join(', ')}) ORDER BY e.depends_on_job_id LIMIT ${MOST_DEPENDENCIES}`,
    jobId,
  )
  return rows.map(row => ({ ...row, status: statusWord(row.status) }))
}
