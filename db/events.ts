import { and, eq, gt, sql } from 'drizzle-orm'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { event } from './schema.ts'
import { insertRow } from './table.ts'
import type { Unit } from './unit.ts'

export type EventRow = typeof event.$inferSelect

/** Stores an event that lists show. Ours carry `category` and `severity` (contract/notes.md 13.4). */
export function* recordEvent(workflowId: number, now: number, data: unknown): Unit<EventRow> {
  return yield* insertRow(event, { workflow_id: workflowId, timestamp: now, data: JSON.stringify(data) })
}

/** Records that somebody used an operation that changes a workflow's course. */
export function* recordUserAction(
  workflowId: number,
  now: number,
  user: string,
  action: string,
  details: Readonly<Record<string, unknown>>,
): Unit<void> {
  yield* recordEvent(workflowId, now, {
    category: 'user_action',
    severity: 'info',
    action,
    user,
    workflow_id: workflowId,
    ...details,
  })
}

export type EventFilter = { workflow_id: number; category?: string; after_timestamp?: number }

export function* listEvents(filter: EventFilter, request: ListRequest): Unit<Page<EventRow>> {
  const { workflow_id, category, after_timestamp } = filter
  const where = and(
    eq(event.workflow_id, workflow_id),
    equals(sql`${event.data}->>'$.category'`, category),
    after_timestamp === undefined ? undefined : gt(event.timestamp, after_timestamp),
  )
  return yield* listTable(event, where, request)
}
