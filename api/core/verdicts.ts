/** How a reported completion is judged: pure rules over what the database holds (contract/notes.md 11.1, 11.2, 18). */
import { isComplete, isJobStatus, isReportable, type JobStatus } from './status.ts'

export type VerdictCode =
  | 'accepted'
  | 'duplicate'
  | 'salvaged'
  | 'lost_claim'
  | 'stale_run'
  | 'already_final'
  | 'mismatch'
  | 'illegal_status'
  | 'wrong_workflow'
  | 'not_found'

export type Verdict = { code: VerdictCode; message: string }

/** What is reported. `attemptId` absent means the job's current attempt. */
export type Report = {
  jobId: number
  status: string
  runId: number
  claimToken?: string
  result: {
    job_id: number
    workflow_id: number
    run_id: number
    attempt_id?: number
    compute_node_id: number
    return_code: number
    status: string
  }
}

export type StoredResult = { runId: number; attemptId: number; status: JobStatus; returnCode: number }

export type StoredJob = {
  workflowId: number
  status: JobStatus
  attemptId: number
  claimToken: string | null
  /** Epoch ms; null without a lease. */
  leaseExpiresAt: number | null
  /** The results that count, of this job so far. */
  stored: readonly StoredResult[]
  /** It has had as many results as can be numbered. */
  isFull: boolean
  /** The attempt that was lost with the reported token, if any. */
  lost: { attemptId: number; runId: number } | undefined
}

export type Situation = {
  workflowId: number
  runId: number
  now: number
  /** An owner or administrator insists: fences a live runner out. */
  force: boolean
  nodeExists(computeNodeId: number): boolean
}

const verdict = (code: VerdictCode, message: string): Verdict => ({ code, message })
const ACCEPTED: Verdict = { code: 'accepted', message: '' }

/**
 * Judges one report against the job as stored. The checks stand in the contract's order: existence, finality, agreement of the
 * result with its entry, run, then who holds the claim. Only `accepted` and `salvaged` change the job.
 */
export function judge(report: Report, job: StoredJob | undefined, at: Situation): Verdict {
  const { jobId, result } = report
  if (job === undefined) return verdict('not_found', `Job not found with ID: ${jobId}`)
  if (job.workflowId !== at.workflowId)
    // The contract names both (notes.md 11.2).
    return verdict(
      'wrong_workflow',
      `job_id=${jobId} belongs to workflow_id=${job.workflowId}, not workflow_id=${at.workflowId}`,
    )
  if (!isJobStatus(report.status) || !isReportable(report.status))
    return verdict(
      'illegal_status',
      `Cannot complete job_id=${jobId} as the status is not terminal: ${wordFor(report.status)}`,
    )
  if (isComplete(job.status)) return judgeFinal(report, job)

  if (result.job_id !== jobId) return verdict('mismatch', `result.job_id=${result.job_id} differs from job_id=${jobId}`)
  if (result.workflow_id !== job.workflowId)
    return verdict('mismatch', `result.workflow_id=${result.workflow_id} differs from workflow_id=${job.workflowId}`)
  if (result.status !== report.status) return verdict('mismatch', `result.status differs from status=${report.status}`)
  if (result.run_id !== report.runId)
    return verdict('mismatch', `Run ID mismatch: result.run_id=${result.run_id}, run_id=${report.runId}`)
  if (report.runId !== at.runId)
    return verdict('stale_run', `Run ID mismatch: provided ${report.runId}, workflow has ${at.runId}`)
  if (job.status === 'disabled') return verdict('illegal_status', `Cannot complete job_id=${jobId} as it is disabled`)
  if (!at.nodeExists(result.compute_node_id))
    return verdict('mismatch', `compute_node_id=${result.compute_node_id} does not exist`)
  return judgeClaim(report, job, at)
}

function judgeFinal(report: Report, job: StoredJob): Verdict {
  if (isStored(report, job)) return verdict('duplicate', '')
  return verdict('already_final', `job_id=${report.jobId} is already complete with status=${job.status}`)
}

/** Which attempt a report speaks of: the one it names, else the one it lost, else the job's current one. */
const attemptOf = ({ result }: Report, job: StoredJob): number =>
  result.attempt_id ?? job.lost?.attemptId ?? job.attemptId

const isStored = (report: Report, job: StoredJob): boolean =>
  job.stored.some(
    stored =>
      stored.runId === report.runId &&
      stored.attemptId === attemptOf(report, job) &&
      stored.status === report.status &&
      stored.returnCode === report.result.return_code,
  )

function judgeClaim(report: Report, job: StoredJob, at: Situation): Verdict {
  // An attempt that ended without making the job final, reported once more: it waits for its owner, or goes on as the next attempt.
  const over = job.status === 'pending_failed' || attemptOf(report, job) !== job.attemptId
  if (over && isStored(report, job)) return verdict('duplicate', '')
  if (job.isFull)
    return verdict('mismatch', `job_id=${report.jobId} has had as many results as a job may have: make a new job of it`)
  if (report.claimToken !== undefined && report.claimToken !== job.claimToken) {
    // Taken back from a silent runner: its success still counts as long as nobody else holds the job.
    const salvageable = job.lost !== undefined && job.lost.runId === at.runId && job.status === 'ready'
    return salvageable && report.status === 'completed' ? verdict('salvaged', '') : lostClaim(report)
  }
  if (report.claimToken === undefined && !at.force && job.leaseExpiresAt !== null && job.leaseExpiresAt > at.now)
    return lostClaim(report)
  const attemptId = report.result.attempt_id
  if (attemptId !== undefined && attemptId !== job.attemptId)
    return verdict(
      'mismatch',
      `attempt_id=${attemptId} is not the current attempt ${job.attemptId} of job_id=${report.jobId}`,
    )
  return ACCEPTED
}

const lostClaim = ({ jobId }: Report): Verdict =>
  verdict('lost_claim', `The claim on job_id=${jobId} is no longer held by this runner`)

/** Status words come from outside: only known ones are repeated in a message. */
const wordFor = (status: string): string => (isJobStatus(status) ? status : 'unknown')
