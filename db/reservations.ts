import { type ClaimRequest, PASSED_OVER_MS } from '../api/core/claim.ts'
import type { Candidate, JobClass } from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { all, run, type Unit } from './unit.ts'

/** Jobs a node passed over: what it is kept free for, and what no longer waits. */
export type Reservations = { reserved: Candidate | undefined; gone: number[] }

/** A job that a node passed over, as it stands now. */
export type PassedOver = {
  job_id: number
  since: number
  status: number | null
  priority: number
  class_id: number
}

/** Reads what a node has passed over. Claims that do not tell the whole node know no reservations. */
export function* readPassedOver({ total, computeNodeId }: ClaimRequest): Unit<PassedOver[]> {
  if (total === undefined || computeNodeId === undefined) return []
  return yield* all<PassedOver>(
    `SELECT p.job_id, p.since, j.status, j.priority, j.class_id FROM passed_over p LEFT JOIN job j ON j.id = p.job_id AND j.waits_until IS NULL
     WHERE p.compute_node_id = ? ORDER BY p.since, p.job_id`,
    computeNodeId,
  )
}

/**
 * Which job the node has passed over for too long while it could run it: then nothing else is handed to the node. It stays reserved
 * only while this claim may be offered it at all (scheduler, labels, size of the node).
 */
export function reservationsOf(rows: readonly PassedOver[], classes: readonly JobClass[], now: number): Reservations {
  const gone = rows.filter(row => row.status !== STATUS.ready).map(row => row.job_id)
  for (const row of rows) {
    if (row.status !== STATUS.ready || row.since > now - PASSED_OVER_MS) continue
    const jobClass = classes.find(candidate => candidate.id === row.class_id)
    if (jobClass !== undefined) return { reserved: { id: row.job_id, priority: row.priority, class: jobClass }, gone }
  }
  return { reserved: undefined, gone }
}

/** Forgets jobs that no longer wait, so that a node's list stays as short as its queue of large jobs. */
export function* forgetPassedOver(computeNodeId: number | undefined, gone: readonly number[]): Unit<void> {
  if (computeNodeId === undefined || gone.length === 0) return
  yield* run(
    'DELETE FROM passed_over WHERE compute_node_id = ? AND job_id IN (SELECT value FROM json_each(?))',
    computeNodeId,
    JSON.stringify(gone),
  )
}

/** Notes that a node could have run this job were it not busy with less urgent ones. The first time counts. */
export function* rememberPassedOver(
  computeNodeId: number | undefined,
  job: Candidate | undefined,
  now: number,
): Unit<void> {
  if (computeNodeId === undefined || job === undefined) return
  yield* run('INSERT OR IGNORE INTO passed_over VALUES (?, ?, ?)', computeNodeId, job.id, now)
}
