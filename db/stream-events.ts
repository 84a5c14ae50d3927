import { all, one, run, type Unit } from './unit.ts'

/** One change that somebody may wait for. Types and their `data` are those of contract/notes.md 14.2 and 18. */
export type StreamEvent = { type: string; jobId?: number; data?: Readonly<Record<string, unknown>> }

/**
 * Appends events to a workflow's stream, numbered on from the newest one. Call it in the transaction that makes the change, so
 * that a reader who has the event also sees the change. An empty list writes nothing.
 */
export function* appendEvents(workflowId: number, now: number, events: readonly StreamEvent[]): Unit<void> {
  if (events.length === 0) return
  const rows = events.map(({ type, jobId, data }) => [
    type,
    jobId ?? null,
    data === undefined ? null : JSON.stringify(data),
  ])
  yield* run(
    `INSERT INTO stream_event (workflow_id, seq, at, type, job_id, data)
     SELECT ?1, (SELECT ifnull(max(seq), 0) + 1 FROM stream_event WHERE workflow_id = ?1) + new.key, ?2,
       new.value->>0, new.value->>1, new.value->>2
     FROM json_each(?3) AS new`,
    workflowId,
    now,
    JSON.stringify(rows),
  )
}

/** One event as a stream shows it; `job_name` is null when it is about no job, or the job is gone. */
export type StreamEventRow = {
  seq: number
  at: number
  type: string
  job_id: number | null
  job_name: string | null
  data: string | null
}

/** Gives the events after a number, in order. */
export function* listStreamEvents(workflowId: number, after: number, limit: number): Unit<StreamEventRow[]> {
  return yield* all<StreamEventRow>(
    `SELECT e.seq, e.at, e.type, e.job_id, t.name AS job_name, e.data
     FROM stream_event AS e LEFT JOIN job_text AS t ON t.id = e.job_id
     WHERE e.workflow_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`,
    workflowId,
    after,
    limit,
  )
}

/** The number of the newest event; 0 when there is none. */
export function* lastStreamEvent(workflowId: number): Unit<number> {
  const row = yield* one<{ seq: number }>(
    'SELECT ifnull(max(seq), 0) AS seq FROM stream_event WHERE workflow_id = ?',
    workflowId,
  )
  return row!.seq
}
