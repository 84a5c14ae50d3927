import type { HandBackReason } from '../api/core/hand-back.ts'
import { all, one, run, type Unit } from './unit.ts'

/** After this long a node is offered the job once more: somebody may have made what it lacked. */
const FORGOTTEN_AFTER_MS = 600_000

/** Keeps jobs from coming to a node that has said why it cannot run them. `jobs`: id and reason. */
export function* noteHandedBack(
  computeNodeId: number,
  jobs: readonly (readonly [id: number, reason: HandBackReason])[],
  now: number,
): Unit<void> {
  if (jobs.length === 0) return
  yield* run(
    `INSERT INTO handed_back SELECT ?1, value ->> 0, value ->> 1, ?2 FROM json_each(?3) WHERE true
     ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at`,
    computeNodeId,
    now,
    JSON.stringify(jobs),
  )
}

/** For a WHERE of `job`: the node whose id `node` stands for has not handed it back. Of no node nothing is known. */
export const notHandedBack = (node: string, job = 'job'): string =>
  `NOT EXISTS (SELECT 1 FROM handed_back b WHERE b.compute_node_id = ${node} AND b.job_id = ${job}.id)`

/** The active nodes that handed a job back, and why. */
export function* listHandedBack(jobId: number): Unit<{ hostname: string; reason: HandBackReason }[]> {
  return yield* all<{ hostname: string; reason: HandBackReason }>(
    `SELECT n.hostname, b.reason FROM handed_back b JOIN compute_node n ON n.id = b.compute_node_id
     WHERE b.job_id = ? AND n.is_active = 1 ORDER BY n.id`,
    jobId,
  )
}

export function* hasOldHandBacks(now: number): Unit<boolean> {
  return (yield* one('SELECT 1 FROM handed_back WHERE at < ? LIMIT 1', now - FORGOTTEN_AFTER_MS)) !== undefined
}

export const purgeHandBacks = (now: number): Unit<void> =>
  run('DELETE FROM handed_back WHERE at < ?', now - FORGOTTEN_AFTER_MS)
