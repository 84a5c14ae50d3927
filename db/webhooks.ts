import { STATUS } from '../api/core/status.ts'
import { all, one, run, type Unit } from './unit.ts'

export type WebhookRow = {
  id: number
  workflow_id: number | null
  url: string
  secret: string
  events: string | null
  created_at: number
  created_by: string
  failures: number
  failing_since: number | null
  last_error: string | null
  due_at: number
  delivered_at: number | null
  is_enabled: number
  /** The Delivery that did not arrive, as JSON. */
  pending: string | null
}

export type NewWebhook = Pick<WebhookRow, 'workflow_id' | 'url' | 'secret' | 'events' | 'created_at' | 'created_by'>

/** Where a hook stands in one workflow. */
export type Place = { workflow_id: number; seq: number; ended_run: number }

/** What is told at once, and where the hook stands once it has arrived. */
export type Delivery = { id: string; body: string; reached: Place }

/** Adds a hook that hears what happens from now on. */
export function* insertWebhook(hook: NewWebhook): Unit<WebhookRow> {
  const row = yield* one<WebhookRow>(
    `INSERT INTO webhook (workflow_id, url, secret, events, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?) RETURNING *`,
    hook.workflow_id,
    hook.url,
    hook.secret,
    hook.events,
    hook.created_at,
    hook.created_by,
  )
  yield* run(
    `INSERT INTO webhook_progress (webhook_id, workflow_id, seq, ended_run)
     SELECT ?1, w.id, ifnull((SELECT max(seq) FROM stream_event WHERE workflow_id = w.id), 0),
       CASE WHEN ${UNFINISHED} THEN -1 ELSE w.run_id END
     FROM workflow w WHERE w.id = ifnull(?2, w.id)`,
    row!.id,
    hook.workflow_id,
  )
  return row!
}

/** The hooks of a workflow, or those of all. */
export function* listWebhooks(workflowId: number | null): Unit<WebhookRow[]> {
  return yield* all<WebhookRow>('SELECT * FROM webhook WHERE workflow_id IS ? ORDER BY id', workflowId)
}

export function* findWebhook(id: number, workflowId: number | null): Unit<WebhookRow | undefined> {
  return yield* one<WebhookRow>('SELECT * FROM webhook WHERE id = ? AND workflow_id IS ?', id, workflowId)
}

export function* deleteWebhook(id: number): Unit<void> {
  yield* run('DELETE FROM webhook WHERE id = ?', id)
}

/** Lets a hook that was given up try again at once. */
export function* enableWebhook(id: number): Unit<void> {
  yield* run(
    'UPDATE webhook SET is_enabled = 1, failures = 0, failing_since = NULL, last_error = NULL, due_at = 0 WHERE id = ?',
    id,
  )
}

/** Whether the hook is ours to deliver until then; another server may have been quicker. */
export function* takeWebhook({ id, due_at }: WebhookRow, until: number): Unit<boolean> {
  const row = yield* one('UPDATE webhook SET due_at = ?3 WHERE id = ?1 AND due_at = ?2 RETURNING 1', id, due_at, until)
  return row !== undefined
}

/** A workflow's jobs that are not complete; one without jobs has not begun. */
const UNFINISHED = `NOT EXISTS (SELECT 1 FROM job WHERE workflow_id = w.id)
  OR EXISTS (SELECT 1 FROM workflow_count c WHERE c.workflow_id = w.id AND c.n > 0
    AND c.status NOT IN (${[STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated].join()}))`

/** The run is over, and the hook has not told so: `w` is the workflow, `p` how far the hook is there. */
const ENDED = `ifnull(p.ended_run, -1) <> w.run_id AND NOT (${UNFINISHED})`
const HAS_NEWS = `w.state = 'live'
  AND (EXISTS (SELECT 1 FROM stream_event WHERE workflow_id = w.id AND seq > ifnull(p.seq, 0)) OR (${ENDED}))`
const PROGRESS_OF = (hookId: string): string =>
  `LEFT JOIN webhook_progress p ON p.webhook_id = ${hookId} AND p.workflow_id = w.id`

/** Most hooks of one round. */
const MOST_HOOKS = 100

/**
 * The hooks that have something to tell and whose time has come, the one longest ago first. Those with nothing to tell are left out here,
 * since there may be any number of them: they would keep the others from their turn.
 */
export function* listDueWebhooks(now: number): Unit<WebhookRow[]> {
  return yield* all<WebhookRow>(
    `SELECT h.* FROM webhook h WHERE h.is_enabled = 1 AND h.due_at <= ? AND CASE WHEN h.workflow_id IS NULL
       THEN EXISTS (SELECT 1 FROM workflow w ${PROGRESS_OF('h.id')} WHERE ${HAS_NEWS})
       ELSE EXISTS (SELECT 1 FROM workflow w ${PROGRESS_OF('h.id')} WHERE w.id = h.workflow_id AND ${HAS_NEWS}) END
     ORDER BY h.due_at, h.id LIMIT ${MOST_HOOKS}`,
    now,
  )
}

/** When the first thing happened that is not told; first of all comes the end of a run of which all else is. */
const WAITS_SINCE =
  'ifnull((SELECT at FROM stream_event WHERE workflow_id = w.id AND seq > ifnull(p.seq, 0) ORDER BY seq LIMIT 1), 0)'

/** A workflow of which a hook has something to tell: where it stands there, and whether its run has ended untold. */
export type Untold = Place & { run_id: number; ended: number }

/** Workflows in which something happened that a hook has not told yet, or whose run has ended; what waits longest comes first. */
export function* listNews({ id, workflow_id }: WebhookRow, limit: number): Unit<Untold[]> {
  const which = workflow_id === null ? '?2 IS NULL' : 'w.id = ?2'
  return yield* all<Untold>(
    `SELECT w.id AS workflow_id, w.run_id, ifnull(p.seq, 0) AS seq, ifnull(p.ended_run, -1) AS ended_run, ${ENDED} AS ended
     FROM workflow w ${PROGRESS_OF('?1')} WHERE ${which} AND ${HAS_NEWS} ORDER BY ${WAITS_SINCE}, w.id LIMIT ?3`,
    id,
    workflow_id,
    limit,
  )
}

/** Counts of a workflow's jobs by status, those above zero. */
export function* countJobs(workflowId: number): Unit<Record<number, number>> {
  const rows = yield* all<{ status: number; n: number }>(
    'SELECT status, n FROM workflow_count WHERE workflow_id = ? AND n > 0',
    workflowId,
  )
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]))
}

/** Notes that a delivery arrived; the hook stays with whoever delivers until `until`. */
export function* recordDelivery(id: number, place: Place, now: number, until: number): Unit<void> {
  yield* run(
    `INSERT INTO webhook_progress (webhook_id, workflow_id, seq, ended_run) SELECT ?1, ?2, ?3, ?4
     WHERE EXISTS (SELECT 1 FROM webhook WHERE id = ?1) AND EXISTS (SELECT 1 FROM workflow WHERE id = ?2)
     ON CONFLICT (webhook_id, workflow_id) DO UPDATE SET seq = max(seq, excluded.seq), ended_run = excluded.ended_run`,
    id,
    place.workflow_id,
    place.seq,
    place.ended_run,
  )
  yield* run(
    `UPDATE webhook SET delivered_at = ?2, due_at = ?3, failures = 0, failing_since = NULL, last_error = NULL, pending = NULL
     WHERE id = ?1`,
    id,
    now,
    until,
  )
}

export type Failure = { error: string; now: number; dueAt: number | undefined; pending: Delivery | undefined }

/** Notes that one did not, what it was, and when the next try is due; without a time the hook is given up. */
export function* recordFailure(id: number, { error, now, dueAt, pending }: Failure): Unit<void> {
  yield* run(
    `UPDATE webhook SET failures = failures + 1, failing_since = ifnull(failing_since, ?2), last_error = ?3,
       due_at = ifnull(?4, due_at), is_enabled = CASE WHEN ?4 IS NULL THEN 0 ELSE is_enabled END, pending = ?5 WHERE id = ?1`,
    id,
    now,
    error,
    dueAt ?? null,
    pending === undefined ? null : JSON.stringify(pending),
  )
}

/** Gives a hook back that has nothing more to tell. */
export function* releaseWebhook(id: number, dueAt: number): Unit<void> {
  yield* run('UPDATE webhook SET due_at = ? WHERE id = ?', dueAt, id)
}
