import { and, eq } from 'drizzle-orm'
import { type AllocationState, FINAL_ALLOCATION_STATES, SCHEDULED_NODE_STATUS } from '../api/core/allocation-states.ts'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { allocation, scheduledComputeNode } from './schema.ts'
import { appendEvents, type StreamEvent } from './stream-events.ts'
import { insertRow, updateRow } from './table.ts'
import { all, one, run, type Unit } from './unit.ts'

export type AllocationRow = typeof allocation.$inferSelect

export type AllocationFilter = { workflow_id: number; plan?: string; state?: string }

/** For SQL: states after which nothing is to be expected of a request. */
const FINAL = FINAL_ALLOCATION_STATES.map(state => `'${state}'`).join(', ')

export function* listAllocations(filter: AllocationFilter, request: ListRequest): Unit<Page<AllocationRow>> {
  const where = and(
    eq(allocation.workflow_id, filter.workflow_id),
    equals(allocation.plan, filter.plan),
    equals(allocation.state, filter.state),
  )
  return yield* listTable(allocation, where, request)
}

/** Requests of a queue, of whatever workflow, that have not started. */
export function* countBacklog(cluster: string, queue: string): Unit<number> {
  const row = yield* one<{ n: number }>(
    `SELECT count(*) AS n FROM allocation WHERE cluster = ? AND queue = ? AND state IN ('submitting', 'queued')`,
    cluster,
    queue,
  )
  return row!.n
}

export function* hasAllocation(name: string): Unit<boolean> {
  return (yield* one('SELECT 1 FROM allocation WHERE name = ?', name)) !== undefined
}

/** Notes a request that is about to be submitted. */
export function* insertAllocation(
  workflowId: number,
  values: Omit<typeof allocation.$inferInsert, 'id' | 'workflow_id' | 'state' | 'created_at'>,
  now: number,
): Unit<AllocationRow> {
  const row = yield* insertRow(allocation, { ...values, workflow_id: workflowId, state: 'submitting', created_at: now })
  yield* appendEvents(workflowId, now, [eventOf(row)])
  return row
}

export type AllocationMove = {
  state: AllocationState | undefined
  schedulerId: string | undefined
  schedulerConfigId: number
  message: string | undefined
  /** When the scheduler's answer was read, by the clock of who asked: it is compared with when listings begin there. */
  submittedAt: number | undefined
  unneeded: boolean | undefined
}

/**
 * Writes what has become of a request. From its acknowledgement on there is a scheduled compute node of it, which the contract's
 * clients see and cancel. The caller has checked that the move is allowed.
 */
export function* moveAllocation(before: AllocationRow, move: AllocationMove, now: number): Unit<AllocationRow> {
  const state = move.state ?? (before.state as AllocationState)
  const isFinal = (FINAL_ALLOCATION_STATES as readonly string[]).includes(state)
  const row = yield* updateRow(allocation, before.id, {
    state,
    scheduler_id: move.schedulerId,
    message: move.message,
    submitted_at: before.submitted_at === null ? move.submittedAt : undefined,
    started_at: state === 'running' && before.started_at === null ? now : undefined,
    ended_at: isFinal && before.ended_at === null ? now : undefined,
    unneeded_since: move.unneeded === undefined ? undefined : move.unneeded ? (before.unneeded_since ?? now) : null,
  })
  if (state === before.state && row.scheduler_id === before.scheduler_id) return row
  const events: StreamEvent[] = [eventOf(row)]
  if (isFinal) yield* forgetRunners(row)
  const shown = yield* showToClients(row, move.schedulerConfigId, events)
  yield* appendEvents(row.workflow_id, now, events)
  return shown
}

/** A killed runner said no goodbye: its scheduler did. */
function* forgetRunners(row: AllocationRow): Unit<void> {
  yield* run(
    `UPDATE compute_node SET is_active = 0 WHERE workflow_id = ? AND is_active = 1 AND scheduler ->> '$.allocation' = ?`,
    row.workflow_id,
    row.name,
  )
}

/** The number in an id of whatever scheduler: `123[].srv` is 123. */
const numberOf = (schedulerId: string): number => Number(/\d+/.exec(schedulerId)?.[0] ?? 0)

function* showToClients(row: AllocationRow, schedulerConfigId: number, events: StreamEvent[]): Unit<AllocationRow> {
  const status = SCHEDULED_NODE_STATUS[row.state as AllocationState]
  if (status === undefined || row.scheduler_id === null) return row
  const values = { scheduler_id: numberOf(row.scheduler_id), status }
  if (row.scheduled_compute_node_id !== null) {
    // The user may have deleted it by hand.
    yield* run(
      'UPDATE scheduled_compute_node SET scheduler_id = ?, status = ? WHERE id = ?',
      values.scheduler_id,
      status,
      row.scheduled_compute_node_id,
    )
    return row
  }
  // A runner of it may have been quicker, and told of its allocation itself.
  const known = yield* one<{ id: number }>(
    'SELECT id FROM scheduled_compute_node WHERE workflow_id = ? AND scheduler_type = ? AND scheduler_id = ?',
    row.workflow_id,
    row.scheduler_type,
    values.scheduler_id,
  )
  if (known !== undefined) return yield* updateRow(allocation, row.id, { scheduled_compute_node_id: known.id })
  const made = yield* insertRow(scheduledComputeNode, {
    ...values,
    workflow_id: row.workflow_id,
    scheduler_config_id: schedulerConfigId,
    scheduler_type: row.scheduler_type,
  })
  const { id, workflow_id: _, ...told } = made
  events.push({
    type: 'scheduler_node_created',
    data: { category: 'scheduler', scheduled_compute_node_id: id, ...told },
  })
  return yield* updateRow(allocation, row.id, { scheduled_compute_node_id: id })
}

const eventOf = (row: AllocationRow): StreamEvent => ({
  type: 'allocation_changed',
  data: {
    category: 'scheduler',
    allocation_id: row.id,
    plan: row.plan,
    name: row.name,
    state: row.state,
    queue: row.queue,
    width: row.width,
    scheduler_id: row.scheduler_id ?? undefined,
    message: row.message ?? row.reason ?? undefined,
  },
})

/** Runners of a request that have registered, and those that have not said goodbye. */
export type WithRunners = AllocationRow & { registered: number; active: number }

/** The requests of a plan that are not over, and its last ones that are: what decides about the next. The oldest first. */
export function* listRecentAllocations(workflowId: number, plan: string, over: number): Unit<WithRunners[]> {
  return yield* all<WithRunners>(
    `SELECT a.*,
       (SELECT count(*) FROM compute_node n WHERE n.workflow_id = a.workflow_id AND n.scheduler ->> '$.allocation' = a.name) AS registered,
       (SELECT count(*) FROM compute_node n WHERE n.workflow_id = a.workflow_id AND n.scheduler ->> '$.allocation' = a.name
          AND n.is_active = 1) AS active
     FROM allocation a
     WHERE a.workflow_id = ?1 AND a.plan = ?2 AND (a.state NOT IN (${FINAL}) OR a.id IN (
       SELECT id FROM allocation WHERE workflow_id = ?1 AND plan = ?2 AND state IN (${FINAL}) ORDER BY id DESC LIMIT ?3))
     ORDER BY a.id`,
    workflowId,
    plan,
    over,
  )
}
