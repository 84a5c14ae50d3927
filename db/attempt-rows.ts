import type { Completion } from '../api/core/completion.ts'
import { statusWord } from '../api/core/status.ts'
import type { StoredJob, StoredResult } from '../api/core/verdicts.ts'
import { alongside } from './alongside.ts'
import { FANOUT } from './cascade.ts'
import { MOST_RESULTS, RESULT_ID_STEP } from './result-ids.ts'
import { allOfText, selectText } from './text-rows.ts'
import { all, type Unit } from './unit.ts'

/** What completions need to know of a job. */
export type JobRow = {
  id: number
  workflow_id: number
  status: number
  attempt_id: number
  losses: number
  claim_token: string | null
  fence: number
  lease_expires_at: number | null
  results: number
  latest_result_id: number | null
  ready_at: number | null
  claimed_at: number | null
  started_at: number | null
  compute_node_id: number | null
  /** How many jobs wait for it, counted up to a bound. */
  fanout: number
}

export type ResultRow = {
  id: number
  job_id: number
  run_id: number
  attempt_id: number
  status: number
  return_code: number
  superseded: number
}

/** An attempt that ended without a result that counts: found again by the token it held. */
export type LostAttempt = { attemptId: number; runId: number }

/** All that the verdicts over one batch look at. */
export type Attempts = {
  jobs: Map<number, JobRow>
  results: Map<number, ResultRow[]>
  nodes: Set<number>
  lostBy(completion: Completion): LostAttempt | undefined
}

const JOBS = selectText<JobRow>(
  {
    id: 'j.id',
    workflow_id: 'j.workflow_id',
    status: 'j.status',
    attempt_id: 'j.attempt_id',
    losses: 'j.losses',
    claim_token: 'j.claim_token',
    fence: 'j.fence',
    lease_expires_at: 'j.lease_expires_at',
    results: 'j.results',
    latest_result_id: 'j.latest_result_id',
    ready_at: 'j.ready_at',
    claimed_at: 'j.claimed_at',
    started_at: 'j.started_at',
    compute_node_id: 'j.compute_node_id',
    fanout: `(SELECT count(*) FROM (SELECT 1 FROM job_edge e WHERE e.depends_on_job_id = j.id LIMIT ${FANOUT + 1}))`,
  },
  'FROM json_each(?) AS wanted CROSS JOIN job j ON j.id = wanted.value',
)

const RESULTS = `
  SELECT r.id, r.job_id, r.run_id, r.attempt_id, r.status, r.return_code, r.superseded
  FROM json_each(?) AS wanted CROSS JOIN result r
  ON r.id BETWEEN wanted.value * ${RESULT_ID_STEP} AND wanted.value * ${RESULT_ID_STEP} + ${RESULT_ID_STEP - 1}`

export function* readAttempts(completions: readonly Completion[]): Unit<Attempts> {
  const list = JSON.stringify([...new Set(completions.map(entry => entry.jobId))])
  const [rows, nodes] = yield* alongside(allOfText(JOBS, list), existingNodes(completions))
  const jobs = new Map(rows.map(row => [row.id, row]))
  const [lost, results] = yield* alongside(readLost(completions, jobs), readResults(rows))
  return {
    jobs,
    results,
    nodes,
    lostBy: ({ jobId, claimToken }) => (lost.size === 0 ? undefined : lost.get(tokenKey(jobId, claimToken))),
  }
}

function* readResults(jobs: readonly JobRow[]): Unit<Map<number, ResultRow[]>> {
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

const tokenKey = (jobId: number, token: string | null | undefined): string => `${jobId} ${token ?? ''}`

function* readLost(
  completions: readonly Completion[],
  jobs: ReadonlyMap<number, JobRow>,
): Unit<Map<string, LostAttempt>> {
  const suspects = completions.filter(
    entry => entry.claimToken !== undefined && entry.claimToken !== jobs.get(entry.jobId)?.claim_token,
  )
  if (suspects.length === 0) return new Map()
  type Row = { job_id: number; run_id: number; attempt_id: number; claim_token: string }
  const rows = yield* all<Row>(
    `SELECT l.job_id, l.run_id, l.attempt_id, l.claim_token FROM json_each(?) AS wanted
     CROSS JOIN lost_attempt l ON l.job_id = wanted.value WHERE l.claim_token IS NOT NULL`,
    JSON.stringify(suspects.map(entry => entry.jobId)),
  )
  return new Map(
    rows.map(row => [tokenKey(row.job_id, row.claim_token), { attemptId: row.attempt_id, runId: row.run_id }]),
  )
}

function* existingNodes(completions: readonly Completion[]): Unit<Set<number>> {
  const wanted = [...new Set(completions.map(entry => entry.result.compute_node_id))]
  const rows = yield* all<{ id: number }>(
    'SELECT id FROM compute_node WHERE id IN (SELECT value FROM json_each(?))',
    JSON.stringify(wanted),
  )
  return new Set(rows.map(row => row.id))
}

/** The job as the verdict sees it. */
export function storedJob(job: JobRow, results: readonly ResultRow[], lost: LostAttempt | undefined): StoredJob {
  return {
    workflowId: job.workflow_id,
    status: statusWord(job.status),
    attemptId: job.attempt_id,
    claimToken: job.claim_token,
    leaseExpiresAt: job.lease_expires_at,
    isFull: job.results >= MOST_RESULTS,
    stored: results
      .filter(row => row.superseded === 0)
      .map(
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
