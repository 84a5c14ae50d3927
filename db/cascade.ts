import { STATUS } from '../api/core/status.ts'
import { addToFrontier } from './frontier-rows.ts'
import { appendEvents, type StreamEvent } from './stream-events.ts'
import { all, type Unit } from './unit.ts'

/** Levels of a failure cascade that one transaction follows; deeper ones go on from the frontier (design.md 2). */
const LEVELS = 16
/** Dependants updated in one transaction at most, so that it ends within about 100 ms. */
export const FANOUT = 5_000

export type Finished = { jobId: number; unsuccessful: boolean }

/** What a cascade changed: how many jobs became ready, and whether something is left in the frontier. */
export type Released = { ready: number; leftOver: boolean }

/** What becomes of a blocked job that hears of `n` finished dependencies, `bad` of them without success, at `now`. */
export const hear = (n: string, bad: string, now: string): string => `
    unfinished = unfinished - ${n},
    unsuccessful = unsuccessful + ${bad},
    status = CASE
      WHEN unfinished > ${n} THEN ${STATUS.blocked}
      WHEN cancel_on_failure AND unsuccessful + ${bad} > 0 THEN ${STATUS.canceled}
      ELSE ${STATUS.ready} END,
    ready_at = CASE WHEN unfinished > ${n} THEN NULL ELSE ${now} END`

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
  UPDATE job SET ${hear('waiting.n', 'waiting.bad', '?3')}
  FROM waiting
  WHERE job.id = waiting.id AND job.status = ${STATUS.blocked}
  RETURNING CASE status WHEN ${STATUS.canceled} THEN json_array(id,
    (SELECT count(*) FROM (SELECT 1 FROM job_edge e WHERE e.depends_on_job_id = job.id LIMIT ${FANOUT + 1}))) ELSE status END AS heard`

/**
 * A job that heard: its status; of a canceled one, as JSON, its id and how many wait for it, counted up to a bound. One column, since the
 * driver takes its time for each, and hardly a job is canceled.
 */
type Touched = { heard: number | string }

/**
 * Releases the dependants of finished jobs through the whole graph below, as far as one transaction should go. `fanout` is the
 * number of dependants the finished jobs have in all, at least up to FANOUT. What is left stands in the frontier.
 */
export function* releaseDependants(
  workflowId: number,
  finished: readonly Finished[],
  fanout: number,
  now: number,
): Unit<Released> {
  if (fanout === 0 || finished.length === 0) return { ready: 0, leftOver: false }
  if (fanout > FANOUT) {
    yield* addToFrontier(workflowId, finished)
    return { ready: 0, leftOver: true }
  }
  return yield* followLevels(workflowId, finished, now)
}

/** Goes down level by level: the first is that of the finished jobs' dependants, each further one hangs below canceled jobs. */
export function* followLevels(workflowId: number, finished: readonly Finished[], now: number): Unit<Released> {
  let good = finished.filter(job => !job.unsuccessful).map(job => job.jobId)
  let bad = finished.filter(job => job.unsuccessful).map(job => job.jobId)
  const canceled: number[] = []
  let ready = 0
  let fanout = 0
  for (let level = 0; level < LEVELS; level++) {
    if (canceled.length > FANOUT || fanout > FANOUT) break
    const touched = yield* all<Touched>(RELEASE, JSON.stringify(good), JSON.stringify(bad), now)
    const below = touched.flatMap(({ heard }) =>
      typeof heard === 'string' ? [JSON.parse(heard) as [number, number]] : [],
    )
    fanout = below.reduce((sum, [, waiting]) => sum + waiting, 0)
    ready += touched.filter(({ heard }) => heard === STATUS.ready).length
    good = []
    bad = below.map(([id]) => id)
    for (const id of bad) canceled.push(id)
    if (bad.length === 0) break
  }
  if (bad.length > 0)
    yield* addToFrontier(
      workflowId,
      bad.map(jobId => ({ jobId, unsuccessful: true })),
    )
  yield* appendEvents(workflowId, now, canceled.map(canceledEvent))
  return { ready, leftOver: bad.length > 0 }
}

export const canceledOf = (touched: readonly { id: number; status: number }[]): number[] =>
  touched.filter(job => job.status === STATUS.canceled).map(job => job.id)

export const canceledEvent = (jobId: number): StreamEvent => ({
  type: 'job_canceled',
  jobId,
  data: { status: 'canceled' },
})
