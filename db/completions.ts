import type { Completion, Started } from '../api/core/completion.ts'
import { isComplete, isUnsuccessful, type JobStatus, STATUS, statusWord } from '../api/core/status.ts'
import { judge, type StoredJob, type StoredResult, type Verdict } from '../api/core/verdicts.ts'
import { FANOUT, type Finished, releaseDependants } from './cascade.ts'
import { insertRows } from './rows.ts'
import { appendEvents, type StreamEvent } from './stream-events.ts'
import { all, one, run, type SqlValue, type Unit } from './unit.ts'

/** Results of one job are numbered below this; result.id = job_id * RESULT_ID_STEP + number. */
export const RESULT_ID_STEP = 65_536

export type CompletedBatch = {
  verdicts: Verdict[]
  /** Jobs that are ready now because of this batch. */
  ready: number
  /** The cascade did not fit this transaction: call drainFrontier. */
  leftOver: boolean
}

type JobRow = {
  id: number
  workflow_id: number
  status: number
  attempt_id: number
  claim_token: string | null
  lease_expires_at: number | null
  results: number
  ready_at: number | null
  claimed_at: number | null
  started_at: number | null
  compute_node_id: number | null
  fanout: number
}

type ResultRow = { id: number; job_id: number; run_id: number; attempt_id: number; status: number; return_code: number }

type Accepted = { completion: Completion; job: JobRow; status: JobStatus; attemptId: number; resultId: number }

const JOBS = `
  SELECT j.id, j.workflow_id, j.status, j.attempt_id, j.claim_token, j.lease_expires_at, j.results, j.ready_at, j.claimed_at, j.started_at,
    j.compute_node_id,
    (SELECT count(*) FROM (SELECT 1 FROM job_edge e WHERE e.depends_on_job_id = j.id LIMIT ${FANOUT + 1})) AS fanout
  FROM (SELECT DISTINCT value AS id FROM json_each(?)) AS wanted CROSS JOIN job j ON j.id = wanted.id`

const RESULTS = `
  SELECT r.id, r.job_id, r.run_id, r.attempt_id, r.status, r.return_code
  FROM json_each(?) AS wanted CROSS JOIN result r ON r.id BETWEEN wanted.value * ${RESULT_ID_STEP} AND wanted.value * ${RESULT_ID_STEP} + ${RESULT_ID_STEP - 1}
  WHERE r.superseded = 0`

/**
 * Applies a batch of completions to one workflow inside the caller's transaction: a verdict per entry, in the order given; what is
 * accepted gets its result row, its file times, its event, and its dependants are released at once. Judged by api/core/verdicts.ts;
 * a bad entry never touches the others. `undefined` when the workflow does not exist.
 */
export function* completeJobs(
  workflowId: number,
  completions: readonly Completion[],
  options: { now: number; force?: boolean },
): Unit<CompletedBatch | undefined> {
  const workflow = yield* one<{ run_id: number }>(`SELECT run_id FROM workflow WHERE id = ? AND state IN ('live', 'initializing')`, workflowId)
  if (workflow === undefined) return undefined
  if (completions.length === 0) return { verdicts: [], ready: 0, leftOver: false }

  const jobs = new Map<number, JobRow>()
  for (const row of yield* all<JobRow>(JOBS, JSON.stringify(completions.map(entry => entry.jobId)))) jobs.set(row.id, row)
  const stored = yield* storedResults([...jobs.values()])
  const lost = yield* lostAttempts(completions, jobs)
  const nodes = yield* existingNodes(completions)

  const accepted: Accepted[] = []
  const superseded: Accepted[] = []
  const verdicts = completions.map(completion => {
    const job = jobs.get(completion.jobId)
    const lostAttempt = lost.get(tokenKey(completion))
    const found = job && storedJob(job, stored.get(job.id) ?? [], lostAttempt)
    const verdict = judge(completion, found, {
      workflowId,
      runId: workflow.run_id,
      now: options.now,
      force: options.force ?? false,
      nodeExists: id => nodes.has(id),
    })
    if (job === undefined) return verdict
    if (verdict.code === 'accepted' || verdict.code === 'salvaged') {
      const attempt = verdict.code === 'salvaged' ? lostAttempt : undefined
      accepted.push(record(completion, job, stored, attempt))
      job.status = STATUS[completion.status as JobStatus]
    } else if (verdict.code === 'lost_claim' && lostAttempt !== undefined) {
      superseded.push(record(completion, job, stored, lostAttempt))
    }
    return verdict
  })

  if (superseded.length > 0) {
    yield* storeResults(superseded, options.now, true)
    yield* run(BUMP_RESULTS, JSON.stringify(superseded.map(entry => entry.job.id)))
  }
  if (accepted.length === 0) return { verdicts, ready: 0, leftOver: false }
  yield* storeResults(accepted, options.now, false)
  yield* storeFileTimes(accepted)
  yield* finishJobs(accepted)
  yield* appendEvents(workflowId, options.now, accepted.flatMap(eventsOf))
  const finished: Finished[] = accepted
    .filter(entry => isComplete(entry.status))
    .map(entry => ({ jobId: entry.job.id, unsuccessful: isUnsuccessful(entry.status) }))
  const fanout = accepted.reduce((sum, entry) => sum + (isComplete(entry.status) ? entry.job.fanout : 0), 0)
  const released = yield* releaseDependants(workflowId, finished, fanout, options.now)
  return { verdicts, ready: released.ready, leftOver: released.leftOver }
}

const BUMP_RESULTS = 'UPDATE job SET results = results + 1 WHERE id IN (SELECT value FROM json_each(?))'

function* storedResults(jobs: readonly JobRow[]): Unit<Map<number, ResultRow[]>> {
  const byJob = new Map<number, ResultRow[]>()
  const ids = jobs.filter(job => job.results > 0).map(job => job.id)
  if (ids.length === 0) return byJob
  for (const row of yield* all<ResultRow>(RESULTS, JSON.stringify(ids))) {
    const list = byJob.get(row.job_id)
    if (list === undefined) byJob.set(row.job_id, [row])
    else list.push(row)
  }
  return byJob
}

type LostAttempt = { attemptId: number; runId: number }

const tokenKey = (completion: Completion): string => `${completion.jobId} ${completion.claimToken ?? ''}`

/** Attempts that were taken back from the very runner that reports now: found by their token. */
function* lostAttempts(completions: readonly Completion[], jobs: ReadonlyMap<number, JobRow>): Unit<Map<string, LostAttempt>> {
  const found = new Map<string, LostAttempt>()
  const suspects = completions.filter(
    entry => entry.claimToken !== undefined && entry.claimToken !== jobs.get(entry.jobId)?.claim_token,
  )
  if (suspects.length === 0) return found
  type Row = { job_id: number; run_id: number; attempt_id: number; claim_token: string }
  const rows = yield* all<Row>(
    `SELECT l.job_id, l.run_id, l.attempt_id, l.claim_token FROM json_each(?) AS wanted
     CROSS JOIN lost_attempt l ON l.job_id = wanted.value WHERE l.claim_token IS NOT NULL`,
    JSON.stringify(suspects.map(entry => entry.jobId)),
  )
  for (const row of rows) found.set(`${row.job_id} ${row.claim_token}`, { attemptId: row.attempt_id, runId: row.run_id })
  return found
}

function* existingNodes(completions: readonly Completion[]): Unit<Set<number>> {
  const wanted = [...new Set(completions.map(entry => entry.result.compute_node_id))]
  const rows = yield* all<{ id: number }>('SELECT id FROM compute_node WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(wanted))
  return new Set(rows.map(row => row.id))
}

/** The job as the verdict sees it. */
function storedJob(job: JobRow, results: readonly ResultRow[], lost: LostAttempt | undefined): StoredJob {
  return {
    workflowId: job.workflow_id,
    status: statusWord(job.status),
    attemptId: job.attempt_id,
    claimToken: job.claim_token,
    leaseExpiresAt: job.lease_expires_at,
    stored: results.map(
      (row): StoredResult => ({
        runId: row.run_id,
        attemptId: row.attempt_id,
        status: statusWord(row.status),
        returnCode: row.return_code,
      }),
    ),
    lost,
  }
}

/** Numbers the result of one report. The job's row is kept up to date, so that the batch's next entry meets it as it will be. */
function record(
  completion: Completion,
  job: JobRow,
  stored: Map<number, ResultRow[]>,
  lost: LostAttempt | undefined,
): Accepted {
  const status = completion.status as JobStatus
  const attemptId = lost?.attemptId ?? job.attempt_id
  const results = stored.get(job.id) ?? []
  // A result posted earlier for this very attempt is replaced; the job was not complete, so it was not final.
  const same = results.find(row => row.run_id === completion.runId && row.attempt_id === attemptId)
  const resultId = same?.id ?? job.id * RESULT_ID_STEP + job.results + 1
  const before = { ...job }
  if (same === undefined) job.results += 1
  const row = { id: resultId, job_id: job.id, run_id: completion.runId, attempt_id: attemptId, status: STATUS[status], return_code: completion.result.return_code }
  stored.set(job.id, [...results.filter(other => other !== same), row])
  return { completion, job: before, status, attemptId, resultId }
}

// biome-ignore format: grouped by what they say
const RESULT_COLUMNS = [
  'id', 'job_id', 'workflow_id', 'run_id', 'attempt_id', 'compute_node_id', 'return_code', 'exec_time_minutes', 'completion_time', 'status',
  'peak_memory_bytes', 'avg_memory_bytes', 'peak_cpu_percent', 'avg_cpu_percent', 'failure_class', 'user_seconds', 'system_seconds',
  'ready_at', 'claimed_at', 'launched_at', 'exited_at', 'recorded_at', 'superseded',
] as const

function* storeResults(entries: readonly Accepted[], now: number, superseded: boolean): Unit<void> {
  const rows = entries.map(({ completion, job, status, attemptId, resultId }): SqlValue[] => {
    const { result, phaseTimes } = completion
    const usage = { ...result, ...completion.usage }
    return [
      resultId,
      job.id,
      job.workflow_id,
      completion.runId,
      attemptId,
      result.compute_node_id,
      result.return_code,
      result.exec_time_minutes,
      result.completion_time,
      STATUS[status],
      usage.peak_memory_bytes ?? null,
      usage.avg_memory_bytes ?? null,
      usage.peak_cpu_percent ?? null,
      usage.avg_cpu_percent ?? null,
      completion.failureClass ?? null,
      usage.user_seconds ?? null,
      usage.system_seconds ?? null,
      job.ready_at,
      phaseTimes?.claimed ?? job.claimed_at,
      phaseTimes?.launched ?? job.started_at,
      phaseTimes?.exited ?? null,
      now,
      superseded ? 1 : 0,
    ]
  })
  yield* insertRows('result', RESULT_COLUMNS, rows, 'OR REPLACE')
}

function* storeFileTimes(accepted: readonly Accepted[]): Unit<void> {
  const times = accepted.flatMap(entry => entry.completion.fileTimes ?? []).map(time => [time.fileId, time.stMtime])
  if (times.length === 0) return
  yield* run(
    `WITH seen AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS st_mtime FROM json_each(?))
     UPDATE file SET st_mtime = seen.st_mtime FROM seen WHERE file.id = seen.id AND file.workflow_id = ?`,
    JSON.stringify(times),
    accepted[0]!.job.workflow_id,
  )
}

/** Sets the final status and clears the claim. One statement per status, and batches rarely hold more than two. */
function* finishJobs(accepted: readonly Accepted[]): Unit<void> {
  const byStatus = new Map<JobStatus, Accepted[]>()
  for (const entry of accepted) {
    const list = byStatus.get(entry.status)
    if (list === undefined) byStatus.set(entry.status, [entry])
    else list.push(entry)
  }
  for (const [status, entries] of byStatus) {
    const replaced = entries.filter(entry => entry.resultId % RESULT_ID_STEP <= entry.job.results)
    const fresh = entries.filter(entry => entry.resultId % RESULT_ID_STEP > entry.job.results)
    if (fresh.length > 0) yield* run(FINISH, STATUS[status], JSON.stringify(fresh.map(entry => entry.job.id)))
    for (const entry of replaced) yield* run(FINISH_REPLACED, STATUS[status], entry.resultId, entry.job.id)
  }
}

const CLEAR_CLAIM =
  'claim_token = NULL, compute_node_id = NULL, claimed_at = NULL, lease_seconds = NULL, lease_expires_at = NULL, started_at = NULL, ready_at = NULL, unfinished = 0'
const FINISH = `
  UPDATE job SET status = ?1, ${CLEAR_CLAIM}, results = results + 1, latest_result_id = id * ${RESULT_ID_STEP} + results + 1
  WHERE id IN (SELECT value FROM json_each(?2))`
const FINISH_REPLACED = `UPDATE job SET status = ?1, ${CLEAR_CLAIM}, latest_result_id = ?2 WHERE id = ?3`

function eventsOf({ completion, job, status }: Accepted): StreamEvent[] {
  const ended: StreamEvent = {
    type: `job_${status}` as StreamEvent['type'],
    jobId: job.id,
    data: { status, return_code: completion.result.return_code },
  }
  const launched = completion.phaseTimes?.launched
  // A held job that started and ended between two requests was never seen running: its start is told now.
  if (job.status !== STATUS.pending || launched === undefined) return [ended]
  return [startedEvent(job.id, completion.result.compute_node_id, completion.runId, launched), ended]
}

const startedEvent = (jobId: number, computeNodeId: number | null, runId: number, at: number): StreamEvent => ({
  type: 'job_started',
  jobId,
  data: { compute_node_id: computeNodeId, run_id: runId, at },
})

/** Marks held jobs that their runner has started as running. Those no longer held by these tokens are left alone. */
export function* startHeld(workflowId: number, started: readonly Started[], now: number): Unit<void> {
  if (started.length === 0) return
  const workflow = yield* one<{ run_id: number }>('SELECT run_id FROM workflow WHERE id = ?', workflowId)
  type Row = { id: number; compute_node_id: number | null; started_at: number }
  const rows = yield* all<Row>(
    `WITH told AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS at FROM json_each(?1))
     UPDATE job SET status = ${STATUS.running}, started_at = told.at
     FROM told
     WHERE job.id = told.id AND job.workflow_id = ?2 AND job.status = ${STATUS.pending} AND job.claim_token = told.token
     RETURNING id, compute_node_id, started_at`,
    JSON.stringify(started.map(job => [job.jobId, job.claimToken, Math.round(job.startedAt)])),
    workflowId,
  )
  const events = rows.map(row => startedEvent(row.id, row.compute_node_id, workflow?.run_id ?? 0, row.started_at))
  yield* appendEvents(workflowId, now, events)
}
