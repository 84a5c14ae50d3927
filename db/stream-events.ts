import { all, type Db, one, run, type Unit } from './unit.ts'

/** One change that somebody may wait for. Types and their `data` are those of contract/notes.md 14.2 and 18. */
export type StreamEvent = { type: string; jobId?: number; data?: Readonly<Record<string, unknown>> }

/**
 * Appends events to a workflow's stream, numbered on from the newest one. Call it in the transaction that makes the change, so
 * that a reader who has the event also sees the change. An empty list writes nothing.
 */
export function* appendEvents(workflowId: number, now: number, events: readonly StreamEvent[]): Unit<void> {
  const first = events[0]
  if (first === undefined) return
  const data = events.map(event => (event.data === undefined ? null : JSON.stringify(event.data)))
  const areAlike = events.every(({ type }, k) => type === first.type && data[k] === data[0])
  if (areAlike) {
    const jobs = JSON.stringify(events.map(({ jobId }) => jobId ?? null))
    yield* run(APPEND_ALIKE, workflowId, now, first.type, data[0]!, jobs)
  } else {
    yield* run(
      APPEND,
      workflowId,
      now,
      JSON.stringify(events.map(({ type, jobId }, k) => [type, jobId ?? null, data[k]])),
    )
  }
}

const NEXT_SEQ = '(SELECT ifnull(max(seq), 0) + 1 FROM stream_event WHERE workflow_id = ?1)'

const APPEND = `
  INSERT INTO stream_event (workflow_id, seq, at, type, job_id, data)
  SELECT ?1, ${NEXT_SEQ} + new.key, ?2, new.value ->> 0, new.value ->> 1, new.value ->> 2 FROM json_each(?3) AS new`

/** Events that differ in nothing but their job, as most do that are appended together: half the cost. */
const APPEND_ALIKE = `
  INSERT INTO stream_event (workflow_id, seq, at, type, job_id, data)
  SELECT ?1, ${NEXT_SEQ} + new.key, ?2, ?3, new.value, ?4 FROM json_each(?5) AS new`

/** One event as a stream shows it. Texts are JSON as stored; the name is that of the job, `""` when the job is gone. */
export type StreamEventRow = {
  seq: number
  at: number
  type: string
  job: { id: number; nameJson: string } | undefined
  dataJson: string
}

/** Between the fields of an event, and between events: JSON holds no control characters, and neither do types. */
const FIELD = '\u001f'
const EVENT = '\u001e'

const EVENTS = `
  SELECT group_concat(event, char(30)) AS events FROM (
    SELECT e.seq || char(31) || e.at || char(31) || e.type || char(31) || ifnull(e.job_id, '') || char(31)
      || json_quote(ifnull(t.name, '')) || char(31) || ifnull(e.data, '{}') AS event
    FROM stream_event AS e LEFT JOIN job_text AS t ON t.id = e.job_id
    WHERE e.workflow_id = ? AND e.seq > ? ORDER BY e.seq LIMIT ?)`

/**
 * Gives the events after a number, in order. They come as one text: a busy workflow has thousands a second, and fetching that many rows
 * one by one costs the driver more than all the rest.
 */
export function* listStreamEvents(workflowId: number, after: number, limit: number): Unit<StreamEventRow[]> {
  const row = yield* one<{ events: string | null }>(EVENTS, workflowId, after, limit)
  return row?.events == null ? [] : row.events.split(EVENT).map(toRow)
}

function toRow(event: string): StreamEventRow {
  const [seq, at, type, jobId, nameJson, dataJson] = event.split(FIELD) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const job = jobId === '' ? undefined : { id: Number(jobId), nameJson }
  return { seq: Number(seq), at: Number(at), type, job, dataJson }
}

/** Gives those of the workflows that have events after a number, each with its own; all others cost no row. */
export function* workflowsWithNews(after: ReadonlyMap<number, number>): Unit<number[]> {
  const rows = yield* all<{ workflow_id: number }>(
    `SELECT w.value ->> 0 AS workflow_id FROM json_each(?) AS w
     WHERE EXISTS (SELECT 1 FROM stream_event WHERE workflow_id = w.value ->> 0 AND seq > w.value ->> 1)`,
    JSON.stringify([...after]),
  )
  return rows.map(row => row.workflow_id)
}

/** The number of the newest event; 0 when there is none. */
export function* lastStreamEvent(workflowId: number): Unit<number> {
  const row = yield* one<{ seq: number }>(
    'SELECT ifnull(max(seq), 0) AS seq FROM stream_event WHERE workflow_id = ?',
    workflowId,
  )
  return row!.seq
}

/** How long a stream can be resumed (design.md, Defaults). */
const RETENTION_MS = 30 * 24 * 3_600_000
/** Events removed in one transaction, so that it ends within about 100 ms. */
const CHUNK = 5_000

/** Removes events that are older than 30 days, but each workflow's newest: the next one is numbered on from it. */
export async function purgeOldEvents(db: Db, now: number): Promise<void> {
  const before = now - RETENTION_MS
  for (const id of await db.read(() => listWithOldEvents(before)))
    while ((await db.write(() => deleteOldEvents(id, before))) > 0);
}

/** Looks at each workflow's oldest event, going from workflow to workflow by the key. */
function* listWithOldEvents(before: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `WITH RECURSIVE streams(id) AS (
       SELECT min(workflow_id) FROM stream_event
       UNION ALL SELECT (SELECT min(workflow_id) FROM stream_event WHERE workflow_id > streams.id) FROM streams WHERE id IS NOT NULL
     ), oldest(id, seq) AS (SELECT id, (SELECT min(seq) FROM stream_event WHERE workflow_id = streams.id) FROM streams WHERE id IS NOT NULL)
     SELECT o.id FROM oldest AS o JOIN stream_event AS e ON e.workflow_id = o.id AND e.seq = o.seq
     WHERE e.at < ? AND EXISTS (SELECT 1 FROM stream_event WHERE workflow_id = o.id AND seq > o.seq)`,
    before,
  )
  return rows.map(row => row.id)
}

function* deleteOldEvents(workflowId: number, before: number): Unit<number> {
  const rows = yield* all<unknown>(
    `DELETE FROM stream_event WHERE workflow_id = ?1 AND seq IN (
       SELECT seq FROM stream_event WHERE workflow_id = ?1 AND at < ?2
         AND seq < (SELECT max(seq) FROM stream_event WHERE workflow_id = ?1)
       ORDER BY seq LIMIT ${CHUNK})
     RETURNING 1`,
    workflowId,
    before,
  )
  return rows.length
}
