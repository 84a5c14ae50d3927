import { STATUS } from '../api/core/status.ts'
import { appendEvents, type StreamEvent } from './stream-events.ts'
import { all, type Db, one, run, type Unit } from './unit.ts'

/** Levels of a failure cascade that one transaction follows; deeper ones go on from the frontier (design.md 2). */
const LEVELS = 16
/** Dependants updated in one transaction at most, so that it ends within about 100 ms. */
export const FANOUT = 5_000

const DONE = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated, STATUS.disabled].join()
const UNSUCCESSFUL = [STATUS.failed, STATUS.canceled, STATUS.terminated].join()

export type Finished = { jobId: number; unsuccessful: boolean }

type Touched = { id: number; status: number }

/** What a cascade changed. */
export type Released = { ready: number; canceled: number[]; leftOver: boolean }

/**
 * Lowers the counts of the blocked jobs that wait for the finished ones and decides those that wait for nothing any more: ready,
 * or canceled where they are to be canceled and some dependency did not succeed; a canceled job is itself finished.
 */
const RELEASE = `
  WITH waiting AS MATERIALIZED (
    SELECT e.job_id AS id, count(*) AS n, sum(f.bad) AS bad
    FROM (SELECT value AS job_id, 0 AS bad FROM json_each(?1) UNION ALL SELECT value, 1 FROM json_each(?2)) AS f
    CROSS JOIN job_edge e ON e.depends_on_job_id = f.job_id
    GROUP BY e.job_id
  )
  UPDATE job SET
    unfinished = unfinished - waiting.n,
    unsuccessful = unsuccessful + waiting.bad,
    status = CASE
      WHEN unfinished > waiting.n THEN ${STATUS.blocked}
      WHEN cancel_on_failure AND unsuccessful + waiting.bad > 0 THEN ${STATUS.canceled}
      ELSE ${STATUS.ready} END,
    ready_at = CASE WHEN unfinished > waiting.n THEN NULL ELSE ?3 END
  FROM waiting
  WHERE job.id = waiting.id AND job.status = ${STATUS.blocked}
  RETURNING id, status`

/** The same for one finished job with very many dependants: the next ones after a cursor. */
const RELEASE_CHUNK = `
  WITH waiting AS MATERIALIZED (
    SELECT job_id AS id FROM job_edge WHERE depends_on_job_id = ?1 AND job_id > ?2 ORDER BY job_id LIMIT ${FANOUT}
  )
  UPDATE job SET
    unfinished = unfinished - 1,
    unsuccessful = unsuccessful + ?3,
    status = CASE
      WHEN unfinished > 1 THEN ${STATUS.blocked}
      WHEN cancel_on_failure AND unsuccessful + ?3 > 0 THEN ${STATUS.canceled}
      ELSE ${STATUS.ready} END,
    ready_at = CASE WHEN unfinished > 1 THEN NULL ELSE ?4 END
  FROM waiting
  WHERE job.id = waiting.id AND job.status = ${STATUS.blocked}
  RETURNING id, status`

/**
 * Releases the dependants of finished jobs through the whole graph below, as far as one transaction should go. `fanout` is the
 * number of dependants the finished jobs have in all, at least up to FANOUT. What is left stands in the frontier.
 */
export function* releaseDependants(workflowId: number, finished: readonly Finished[], fanout: number, now: number): Unit<Released> {
  if (fanout === 0 || finished.length === 0) return { ready: 0, canceled: [], leftOver: false }
  if (fanout > FANOUT) {
    yield* addToFrontier(workflowId, finished)
    return { ready: 0, canceled: [], leftOver: true }
  }
  return yield* followLevels(workflowId, finished, now)
}

function* followLevels(workflowId: number, finished: readonly Finished[], now: number): Unit<Released> {
  let good = finished.filter(job => !job.unsuccessful).map(job => job.jobId)
  let bad = finished.filter(job => job.unsuccessful).map(job => job.jobId)
  const canceled: number[] = []
  let ready = 0
  for (let level = 0; level < LEVELS; level++) {
    const touched = yield* all<Touched>(RELEASE, JSON.stringify(good), JSON.stringify(bad), now)
    ready += touched.filter(job => job.status === STATUS.ready).length
    good = []
    bad = touched.filter(job => job.status === STATUS.canceled).map(job => job.id)
    for (const id of bad) canceled.push(id)
    if (bad.length === 0) break
    if (canceled.length > FANOUT) break
  }
  if (bad.length > 0) yield* addToFrontier(workflowId, bad.map(jobId => ({ jobId, unsuccessful: true })))
  yield* appendEvents(workflowId, now, canceled.map(canceledEvent))
  return { ready, canceled, leftOver: bad.length > 0 }
}

const canceledEvent = (jobId: number): StreamEvent => ({ type: 'job_canceled', jobId, data: { status: 'canceled' } })

function* addToFrontier(workflowId: number, finished: readonly Finished[]): Unit<void> {
  yield* run(
    `INSERT OR IGNORE INTO frontier(job_id, workflow_id, unsuccessful)
     SELECT value ->> 'jobId', ?1, value ->> 'unsuccessful' FROM json_each(?2)`,
    workflowId,
    JSON.stringify(finished.map(job => ({ jobId: job.jobId, unsuccessful: job.unsuccessful ? 1 : 0 }))),
  )
}

type FrontierRow = { job_id: number; workflow_id: number; unsuccessful: number; cursor: number; fanout: number }

/** Takes the frontier on by one transaction's worth. Returns whether something is left. */
function* advanceFrontier(now: number): Unit<boolean> {
  const rows = yield* all<FrontierRow>(
    `SELECT f.job_id, f.workflow_id, f.unsuccessful, f.cursor,
       (SELECT count(*) FROM (SELECT 1 FROM job_edge e WHERE e.depends_on_job_id = f.job_id AND e.job_id > f.cursor LIMIT ${FANOUT + 1})) AS fanout
     FROM frontier f ORDER BY f.workflow_id, f.job_id LIMIT 200`,
  )
  const first = rows[0]
  if (first === undefined) return false
  if (first.fanout > FANOUT || first.cursor > 0) {
    yield* advanceWide(first, now)
    return true
  }
  const group: FrontierRow[] = []
  let fanout = 0
  for (const row of rows) {
    if (row.workflow_id !== first.workflow_id || row.cursor > 0 || fanout + row.fanout > FANOUT) break
    group.push(row)
    fanout += row.fanout
  }
  yield* run('DELETE FROM frontier WHERE job_id IN (SELECT value FROM json_each(?))', JSON.stringify(group.map(row => row.job_id)))
  yield* followLevels(first.workflow_id, group.map(row => ({ jobId: row.job_id, unsuccessful: row.unsuccessful === 1 })), now)
  return true
}

function* advanceWide(row: FrontierRow, now: number): Unit<void> {
  const end = yield* one<{ last: number | null; n: number }>(
    `SELECT max(job_id) AS last, count(*) AS n FROM
       (SELECT job_id FROM job_edge WHERE depends_on_job_id = ? AND job_id > ? ORDER BY job_id LIMIT ${FANOUT})`,
    row.job_id,
    row.cursor,
  )
  const touched = yield* all<Touched>(RELEASE_CHUNK, row.job_id, row.cursor, row.unsuccessful, now)
  const canceled = touched.filter(job => job.status === STATUS.canceled).map(job => job.id)
  yield* addToFrontier(row.workflow_id, canceled.map(jobId => ({ jobId, unsuccessful: true })))
  yield* appendEvents(row.workflow_id, now, canceled.map(canceledEvent))
  if (end === undefined || end.last === null || end.n < FANOUT) yield* run('DELETE FROM frontier WHERE job_id = ?', row.job_id)
  else yield* run('UPDATE frontier SET cursor = ? WHERE job_id = ?', end.last, row.job_id)
}

/** Works off the frontier, transaction by transaction, letting other writers in between. Also heals what a crash left. */
export async function drainFrontier(db: Db, now: () => number): Promise<void> {
  while (await db.write(() => advanceFrontier(now()))) {
    // Each round is one short transaction.
  }
}

/**
 * Counts anew what blocked dependants of these jobs wait for, and blocks ready ones that wait again: needed after a complete job
 * was opened again (retry, reset). Claimed, running and finished dependants are left alone.
 */
export function* reblockDependants(jobIds: readonly number[]): Unit<void> {
  yield* run(
    `WITH open AS MATERIALIZED (
       SELECT e.job_id AS id,
         sum(d.status NOT IN (${DONE})) AS unfinished,
         sum(d.status IN (${UNSUCCESSFUL})) AS unsuccessful
       FROM (SELECT DISTINCT e0.job_id AS id FROM json_each(?) j CROSS JOIN job_edge e0 ON e0.depends_on_job_id = j.value) AS affected
       CROSS JOIN job_edge e ON e.job_id = affected.id
       CROSS JOIN job d ON d.id = e.depends_on_job_id
       GROUP BY e.job_id
     )
     UPDATE job SET
       unfinished = open.unfinished,
       unsuccessful = open.unsuccessful,
       status = CASE WHEN open.unfinished > 0 THEN ${STATUS.blocked} ELSE job.status END,
       ready_at = CASE WHEN open.unfinished > 0 THEN NULL ELSE ready_at END
     FROM open
     WHERE job.id = open.id AND job.status IN (${STATUS.blocked}, ${STATUS.ready})`,
    JSON.stringify(jobIds),
  )
}
