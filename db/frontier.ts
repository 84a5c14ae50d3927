import { STATUS } from '../api/core/status.ts'
import { canceledEvent, canceledOf, FANOUT, followLevels, hear } from './cascade.ts'
import { addToFrontier } from './frontier-rows.ts'
import { appendEvents } from './stream-events.ts'
import { all, type Db, one, run, type Unit } from './unit.ts'

/** Rows looked at in one round; a round ends sooner when they have many dependants. */
const ROWS = 200

type FrontierRow = { job_id: number; workflow_id: number; unsuccessful: number; cursor: number; fanout: number }

/** Works off what cascades have left, transaction by transaction, letting other writers in between. Also heals what a crash left. */
export async function drainFrontier(db: Db, now: () => number): Promise<void> {
  while ((await db.read(nextRows)).length > 0) await db.write(() => advanceFrontier(now()))
}

function* nextRows(): Unit<FrontierRow[]> {
  return yield* all<FrontierRow>(
    `SELECT f.job_id, f.workflow_id, f.unsuccessful, f.cursor,
       (SELECT count(*) FROM (SELECT 1 FROM job_edge e WHERE e.depends_on_job_id = f.job_id AND e.job_id > f.cursor LIMIT ${FANOUT + 1})) AS fanout
     FROM frontier f ORDER BY f.workflow_id, f.job_id LIMIT ${ROWS}`,
  )
}

/** Takes the frontier on by one transaction's worth. */
function* advanceFrontier(now: number): Unit<void> {
  const rows = yield* nextRows()
  const first = rows[0]
  if (first === undefined) return
  if (first.fanout > FANOUT || first.cursor > 0) return yield* advanceWide(first, now)
  const group: FrontierRow[] = []
  let fanout = 0
  for (const row of rows) {
    if (row.workflow_id !== first.workflow_id || row.cursor > 0 || fanout + row.fanout > FANOUT) break
    group.push(row)
    fanout += row.fanout
  }
  yield* run(
    'DELETE FROM frontier WHERE job_id IN (SELECT value FROM json_each(?))',
    JSON.stringify(group.map(row => row.job_id)),
  )
  const finished = group.map(row => ({ jobId: row.job_id, unsuccessful: row.unsuccessful === 1 }))
  yield* followLevels(first.workflow_id, finished, now)
}

/** The next dependants of one finished job that has very many: those after its cursor. */
function* advanceWide(row: FrontierRow, now: number): Unit<void> {
  const end = yield* one<{ last: number | null; n: number }>(
    `SELECT max(job_id) AS last, count(*) AS n FROM (${NEXT_DEPENDANTS})`,
    row.job_id,
    row.cursor,
  )
  const touched = yield* all<{ id: number; status: number }>(
    RELEASE_NEXT,
    row.job_id,
    row.cursor,
    row.unsuccessful,
    now,
  )
  const canceled = canceledOf(touched)
  yield* addToFrontier(
    row.workflow_id,
    canceled.map(jobId => ({ jobId, unsuccessful: true })),
  )
  yield* appendEvents(row.workflow_id, now, canceled.map(canceledEvent))
  if (end!.n < FANOUT) yield* run('DELETE FROM frontier WHERE job_id = ?', row.job_id)
  else yield* run('UPDATE frontier SET cursor = ? WHERE job_id = ?', end!.last, row.job_id)
}

const NEXT_DEPENDANTS = `
  SELECT job_id FROM job_edge WHERE depends_on_job_id = ?1 AND job_id > ?2 ORDER BY job_id LIMIT ${FANOUT}`

const RELEASE_NEXT = `
  WITH waiting AS MATERIALIZED (${NEXT_DEPENDANTS})
  UPDATE job SET ${hear('1', '?3', '?4')}
  FROM waiting
  WHERE job.id = waiting.job_id AND job.status = ${STATUS.blocked}
  RETURNING id, status`
