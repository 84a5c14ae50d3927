import { and, eq, sql } from 'drizzle-orm'
import type { Subject } from './access-control.ts'
import { contains, equals, type ListRequest, listTable, type Page } from './list.ts'
import { computeNode } from './schema.ts'
import { findUsable } from './served-workflows.ts'
import { appendEvents } from './stream-events.ts'
import { deleteRow, insertRow } from './table.ts'
import { all, one, run, type Unit } from './unit.ts'

export type ComputeNodeRow = typeof computeNode.$inferSelect

export type ComputeNodeFilter = {
  workflow_id: number
  hostname?: string
  is_active?: boolean
  scheduled_compute_node_id?: number
}

export function* listComputeNodes(filter: ComputeNodeFilter, request: ListRequest): Unit<Page<ComputeNodeRow>> {
  const where = and(
    eq(computeNode.workflow_id, filter.workflow_id),
    contains(computeNode.hostname, filter.hostname),
    equals(
      sql`ifnull(${computeNode.is_active}, 0)`,
      filter.is_active === undefined ? undefined : Number(filter.is_active),
    ),
    equals(sql`${computeNode.scheduler}->>'$.scheduler_id'`, filter.scheduled_compute_node_id),
  )
  return yield* listTable(computeNode, where, request)
}

/** What a node is registered with. */
export type NodeFacts = Omit<typeof computeNode.$inferInsert, 'id' | 'workflow_id'>

/** Registers a runner with a workflow, which must exist. */
export function* registerNode(workflowId: number, facts: NodeFacts, now: number): Unit<ComputeNodeRow> {
  const row = yield* insertRow(computeNode, { ...facts, workflow_id: workflowId })
  const { id, hostname, pid, num_cpus, memory_gb, num_gpus, compute_node_type } = row
  const data = { compute_node_id: id, hostname, pid, num_cpus, memory_gb, num_gpus, compute_node_type }
  yield* appendEvents(workflowId, now, [{ type: 'compute_node_started', data }])
  return row
}

/** Whether a workflow has this node. */
export function* hasComputeNode(workflowId: number, id: number): Unit<boolean> {
  const found = yield* one('SELECT 1 FROM compute_node WHERE id = ? AND workflow_id = ?', id, workflowId)
  return found !== undefined
}

/** Those of these nodes that exist and whose workflows the subject may use. */
export function* findUsableNodes(
  ids: readonly number[],
  subject: Subject | undefined,
): Unit<{ id: number; workflow_id: number }[]> {
  if (ids.length === 0) return []
  const nodes = yield* all<{ id: number; workflow_id: number }>(
    'SELECT id, workflow_id FROM compute_node WHERE id IN (SELECT value FROM json_each(?))',
    JSON.stringify(ids),
  )
  const workflows = [...new Set(nodes.map(node => node.workflow_id))]
  const usable = new Set((yield* findUsable(workflows, subject)).map(({ id }) => id))
  return nodes.filter(node => usable.has(node.workflow_id))
}

/** How many jobs are bound to a node. */
export function* countHeldJobs(computeNodeId: number): Unit<number> {
  const row = yield* one<{ n: number }>('SELECT count(*) AS n FROM job WHERE compute_node_id = ?', computeNodeId)
  return row!.n
}

/** Removes a node that holds no job. Results keep its id; actions forget who ran them. */
export function* deleteComputeNode(id: number): Unit<void> {
  yield* run('UPDATE action SET executed_by = NULL WHERE executed_by = ?', id)
  yield* run('DELETE FROM passed_over WHERE compute_node_id = ?', id)
  yield* deleteRow(computeNode, id)
}

/** Removes the nodes of a workflow that hold no job and tells how many there were. */
export function* deleteFreeComputeNodes(workflowId: number): Unit<number> {
  const rows = yield* all<{ id: number }>(
    'SELECT n.id FROM compute_node AS n WHERE n.workflow_id = ? AND NOT EXISTS (SELECT 1 FROM job WHERE compute_node_id = n.id)',
    workflowId,
  )
  for (const { id } of rows) yield* deleteComputeNode(id)
  return rows.length
}

/** Runners of these workflows that have registered and not said goodbye. */
export function* countActiveNodes(...workflowIds: number[]): Unit<number> {
  const row = yield* one<{ n: number }>(
    'SELECT count(*) AS n FROM compute_node WHERE workflow_id IN (SELECT value FROM json_each(?)) AND is_active = 1',
    JSON.stringify(workflowIds),
  )
  return row?.n ?? 0
}
