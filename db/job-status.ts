import { type JobStatus, STATUS } from '../api/core/status.ts'
import { CLEAR_CLAIM } from './claim-columns.ts'
import { clearFrontier } from './frontier-rows.ts'
import { listDescendants } from './job-links.ts'
import { reblockDependants, recount } from './recount.ts'
import { appendEvents } from './stream-events.ts'
import { all, one, run, type Unit } from './unit.ts'

const COMPLETE = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated].join()
const FAILED = [STATUS.failed, STATUS.canceled, STATUS.terminated, STATUS.pending_failed].join()

/**
 * Puts a job into any status that is not complete, as its owner asks. Dependants that count on its completion are counted anew. A
 * complete job that becomes uninitialized takes all complete jobs below it along (contract/notes.md 9.4).
 */
export function* forceStatus(jobId: number, target: JobStatus, wasComplete: boolean, now: number): Unit<void> {
  const keepsClaim = target === 'pending' || target === 'running'
  yield* run(
    `UPDATE job SET status = ?1, ${keepsClaim ? '' : `${CLEAR_CLAIM},`} ready_at = ?2, unfinished = 0 WHERE id = ?3`,
    STATUS[target],
    target === 'ready' ? now : null,
    jobId,
  )
  if (target === 'blocked') yield* recount([jobId])
  if (!wasComplete) return
  const below = target === 'uninitialized' ? yield* listCompleteBelow([jobId]) : []
  yield* resetJobs(below)
  yield* reblockDependants([jobId, ...below])
}

function* listCompleteBelow(jobIds: readonly number[]): Unit<number[]> {
  const below = yield* listDescendants(jobIds)
  const rows = yield* all<{ id: number }>(
    `SELECT j.id FROM json_each(?) AS b CROSS JOIN job AS j ON j.id = b.value WHERE j.status IN (${COMPLETE})`,
    JSON.stringify(below),
  )
  return rows.map(row => row.id)
}

/**
 * Binds a claimed job to the node that starts it. False, and nothing is done, when the claim is somebody else's: the token is wrong, or it is
 * missing while a lease runs (contract/notes.md 18).
 */
export function* startJob(
  { workflowId, runId, jobId }: { workflowId: number; runId: number; jobId: number },
  computeNodeId: number,
  claimToken: string | undefined,
  now: number,
): Unit<boolean> {
  const started = yield* one(
    `UPDATE job SET status = ${STATUS.running}, compute_node_id = ?1, started_at = ?2, is_held = 0
     WHERE id = ?3 AND CASE WHEN ?4 IS NULL THEN ifnull(lease_expires_at, 0) <= ?2 ELSE claim_token = ?4 END RETURNING 1`,
    computeNodeId,
    now,
    jobId,
    claimToken ?? null,
  )
  if (started === undefined) return false
  const data = { compute_node_id: computeNodeId, run_id: runId }
  yield* appendEvents(workflowId, now, [{ type: 'job_started', jobId, data }])
  return true
}

/**
 * Makes a job ready for its next attempt. Dependants that were canceled because of it, or are ready because of it, wait again
 * (contract/notes.md 9.6).
 */
export function* retryJob(jobId: number, now: number): Unit<void> {
  yield* retryJobs([jobId], now)
}

/** The same for many. */
export function* retryJobs(jobIds: readonly number[], now: number): Unit<void> {
  const list = JSON.stringify(jobIds)
  yield* run(
    `UPDATE job SET status = ${STATUS.ready}, attempt_id = attempt_id + 1, ${CLEAR_CLAIM}, ready_at = ?
     WHERE id IN (SELECT value FROM json_each(?))`,
    now,
    list,
  )
  yield* run(
    `UPDATE job_text SET origin = 'retry' WHERE id IN (SELECT value FROM json_each(?)) AND origin IS NULL`,
    list,
  )
  const canceled = yield* all<{ id: number }>(
    `WITH RECURSIVE canceled(id) AS (
       SELECT value FROM json_each(?1)
       UNION SELECT e.job_id FROM canceled CROSS JOIN job_edge AS e ON e.depends_on_job_id = canceled.id
         CROSS JOIN job AS j ON j.id = e.job_id AND j.status = ${STATUS.canceled} AND j.cancel_on_failure = 1
     )
     UPDATE job SET status = ${STATUS.blocked} WHERE id IN (SELECT id FROM canceled) AND status = ${STATUS.canceled} RETURNING id`,
    list,
  )
  const reopened = canceled.map(row => row.id)
  yield* reblockDependants([...jobIds, ...reopened])
  yield* recount(reopened)
}

/** Makes these jobs uninitialized, whatever they are. */
export function* resetJobs(jobIds: readonly number[]): Unit<void> {
  yield* run(
    `UPDATE job SET status = ${STATUS.uninitialized}, ${CLEAR_CLAIM}, ready_at = NULL, unfinished = 0, unsuccessful = 0
     WHERE id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(jobIds),
  )
}

/** Makes the jobs of an id range uninitialized and tells how many were not. */
export function* resetAllJobs(workflowId: number, range: { first: number; last: number }): Unit<number> {
  yield* clearFrontier(workflowId)
  const rows = yield* all<unknown>(
    `UPDATE job SET status = ${STATUS.uninitialized}, ${CLEAR_CLAIM}, ready_at = NULL, unfinished = 0, unsuccessful = 0
     WHERE workflow_id = ? AND id BETWEEN ? AND ? AND status <> ${STATUS.uninitialized} RETURNING 1`,
    workflowId,
    range.first,
    range.last,
  )
  return rows.length
}

/** Makes failed jobs uninitialized, and with them all complete jobs below; tells how many failed ones there were. */
export function* resetFailedJobs(workflowId: number): Unit<number> {
  const rows = yield* all<{ id: number }>(
    `SELECT id FROM job WHERE workflow_id = ? AND status IN (${FAILED})`,
    workflowId,
  )
  const failed = rows.map(row => row.id)
  yield* resetWithBelow(failed)
  return failed.length
}

/** Makes jobs uninitialized, and with them all complete jobs below. */
export function* resetWithBelow(jobIds: readonly number[]): Unit<void> {
  const reset = [...jobIds, ...(yield* listCompleteBelow(jobIds))]
  yield* resetJobs(reset)
  yield* reblockDependants(reset)
}

/** Cancels what is claimed or running; ready and blocked jobs stay, since the workflow hands out nothing any more. */
export function* cancelClaimedJobs(workflowId: number, now: number): Unit<void> {
  const rows = yield* all<{ id: number }>(
    `UPDATE job SET status = ${STATUS.canceled}, ${CLEAR_CLAIM}, ready_at = NULL, unfinished = 0
     WHERE workflow_id = ? AND status IN (${STATUS.pending}, ${STATUS.running}) RETURNING id`,
    workflowId,
  )
  const ids = rows.map(row => row.id)
  yield* reblockDependants(ids)
  yield* appendEvents(
    workflowId,
    now,
    ids.map(jobId => ({ type: 'job_canceled', jobId, data: { status: 'canceled' } })),
  )
}

/** Blocks new jobs and counts what they wait for. */
export function* blockNewJobs(jobIds: readonly number[]): Unit<void> {
  yield* run(
    `UPDATE job SET status = ${STATUS.blocked} WHERE id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(jobIds),
  )
  yield* recount(jobIds)
}
