import { STATUS } from '../api/core/status.ts'
import { one, type Unit } from './unit.ts'

/**
 * Ready jobs without labels while no active node is without labels: nobody will take them, though runners are there (contract/notes.md
 * 19.18, E12). `ready` is the workflow's count; jobs are counted only where some have labels and such a node is missing.
 */
export function* countUnservedUnlabeled(workflowId: number, ready: number): Unit<number> {
  if (ready === 0) return 0
  const served = yield* one(
    `SELECT 1 FROM compute_node WHERE workflow_id = ? AND is_active = 1 AND labels = '' LIMIT 1`,
    workflowId,
  )
  if (served !== undefined) return 0
  const labeled = yield* one<{ n: number }>(
    `SELECT count(*) AS n FROM job_class AS c
     CROSS JOIN job AS j ON j.workflow_id = c.workflow_id AND j.class_id = c.id AND j.status = ${STATUS.ready}
     WHERE c.workflow_id = ? AND c.labels <> ''`,
    workflowId,
  )
  return ready - labeled!.n
}
