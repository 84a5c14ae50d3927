import { and, eq } from 'drizzle-orm'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { scheduledComputeNode } from './schema.ts'
import { one, type Unit } from './unit.ts'

export type ScheduledComputeNodeRow = typeof scheduledComputeNode.$inferSelect

/** Allocations that are asked for and that run, by the words clients use. */
export function* countActiveAllocations(workflowId: number): Unit<{ pending: number; active: number }> {
  const row = yield* one<{ pending: number; active: number }>(
    `SELECT count(*) FILTER (WHERE status = 'pending') AS pending, count(*) FILTER (WHERE status = 'active') AS active
     FROM scheduled_compute_node WHERE workflow_id = ?`,
    workflowId,
  )
  return row!
}

export type ScheduledComputeNodeFilter = {
  workflow_id: number
  scheduler_id?: number
  scheduler_config_id?: number
  status?: string
}

export function* listScheduledComputeNodes(
  filter: ScheduledComputeNodeFilter,
  request: ListRequest,
): Unit<Page<ScheduledComputeNodeRow>> {
  const where = and(
    eq(scheduledComputeNode.workflow_id, filter.workflow_id),
    equals(scheduledComputeNode.scheduler_id, filter.scheduler_id),
    equals(scheduledComputeNode.scheduler_config_id, filter.scheduler_config_id),
    equals(scheduledComputeNode.status, filter.status),
  )
  return yield* listTable(scheduledComputeNode, where, request)
}
