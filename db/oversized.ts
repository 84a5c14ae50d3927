import { STATUS } from '../api/core/status.ts'
import { all, type Unit } from './unit.ts'

/** A job that needs more than the whole node has, and what. */
export type Oversized = {
  job_id: number
  name: string
  num_cpus: number
  memory: string
  memory_bytes: number
  num_gpus: number
  num_nodes: number
}

/** Unfinished jobs that nodes of this size, of which a job may have so many, can never run, at most `limit` of them. Looks at jobs only when some class is too large. */
export function* listOversized(
  workflowId: number,
  node: { cpus: number; memoryBytes: number; gpus: number; nodes: number },
  limit: number,
): Unit<Oversized[]> {
  return yield* all<Oversized>(
    `SELECT j.id AS job_id, t.name, r.num_cpus, r.memory, r.memory_bytes, r.num_gpus, r.num_nodes
     FROM job_class c
     CROSS JOIN resource_requirements r ON r.id = c.resource_requirements_id
     CROSS JOIN job j ON j.workflow_id = c.workflow_id AND j.class_id = c.id
     CROSS JOIN job_text t ON t.id = j.id
     WHERE c.workflow_id = ?1 AND (r.num_cpus > ?2 OR r.memory_bytes > ?3 OR r.num_gpus > ?4 OR r.num_nodes > ?6)
       AND j.status IN (${STATUS.uninitialized}, ${STATUS.blocked}, ${STATUS.ready})
     ORDER BY j.id LIMIT ?5`,
    workflowId,
    node.cpus,
    node.memoryBytes,
    node.gpus,
    limit,
    node.nodes,
  )
}
