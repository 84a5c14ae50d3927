import type { Completion, Started } from '../api/core/completion.ts'
import { decideRetry } from '../api/core/failure-decision.ts'
import { ALLOCATION_END_CODE, mayLoseAgain } from '../api/core/losses.ts'
import { isComplete, isUnsuccessful, type JobStatus, STATUS } from '../api/core/status.ts'
import { judge, type Verdict } from '../api/core/verdicts.ts'
import { alongside } from './alongside.ts'
import { type Attempts, type JobRow, type LostAttempt, readAttempts, storedJob } from './attempt-rows.ts'
import { releaseDependants } from './cascade.ts'
import { type FailureFacts, readFailureFacts } from './failure-facts.ts'
import { BeingInitialized } from './initializing.ts'
import { recordLosses } from './lost-attempts.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import { listOpenRecoveries, type Retried, type RetryTold, recordRetries } from './retries.ts'
import { countResults, type Report, settleJobs, storeFileTimes, storeResults } from './settle.ts'
import { appendEvents, type StreamEvent } from './stream-events.ts'
import { all, one, type Unit } from './unit.ts'

export type CompletedBatch = {
  verdicts: Verdict[]
  /** Jobs that are ready now because of this batch. */
  ready: number
  /** The cascade did not fit this transaction: call drainFrontier. */
  leftOver: boolean
  /** Failed attempts that are tried again. */
  retries: RetryTold[]
}

type WorkflowRow = { run_id: number; state: string; loss_budget: number; is_canceled: number }

/**
 * What a batch comes to: the reports that count, those kept for the record, and of the former those that lost their node
 * and those that failed and are tried again.
 */
type Judged = {
  verdicts: Verdict[]
  accepted: Report[]
  superseded: Report[]
  requeued: Report[]
  retried: Retried[]
}

/**
 * Applies a batch of completions to one workflow inside the caller's transaction: a verdict per entry, in the order given; what is
 * accepted gets its result row, its file times, its event, and its dependants are released at once. Judged by api/core/verdicts.ts;
 * a bad entry never touches the others. A failure with a class may be tried again (failure-decision.ts; `random` in 0..1
 * spreads the pauses). `undefined` when the workflow does not exist; throws BeingInitialized.
 */
export function* completeJobs(
  workflowId: number,
  completions: readonly Completion[],
  options: CompleteOptions,
): Unit<CompletedBatch | undefined> {
  return yield* applyBatch(workflowId, completions, yield* readBatch(workflowId, completions), options)
}

export type CompleteOptions = { now: number; force?: boolean; random?: number }

/** All that a batch is judged by. */
export type BatchFacts = {
  workflow: WorkflowRow | undefined
  attempts: Attempts
  facts: ReadonlyMap<number, FailureFacts>
}

const NO_ATTEMPTS: Attempts = { jobs: new Map(), results: new Map(), nodes: new Set(), lostBy: () => undefined }

/** The first part of completeJobs: looks, and changes nothing. */
export function* readBatch(workflowId: number, completions: readonly Completion[]): Unit<BatchFacts> {
  const reading = one<WorkflowRow>(
    `SELECT run_id, state, loss_budget, is_canceled FROM workflow WHERE id = ? AND state IN ('live', 'initializing')`,
    workflowId,
  )
  if (completions.length === 0) return { workflow: yield* reading, attempts: NO_ATTEMPTS, facts: new Map() }
  const [workflow, attempts, facts] = yield* alongside(
    reading,
    readAttempts(completions),
    readFailureFacts(completions),
  )
  return { workflow, attempts, facts }
}

/** The second part of completeJobs: judges and changes. */
export function* applyBatch(
  workflowId: number,
  completions: readonly Completion[],
  { workflow, attempts, facts }: BatchFacts,
  options: CompleteOptions,
): Unit<CompletedBatch | undefined> {
  const { now } = options
  if (workflow === undefined) return undefined
  if (completions.length === 0) return { verdicts: [], ready: 0, leftOver: false, retries: [] }
  if (workflow.state === 'initializing') throw new BeingInitialized(workflowId)

  const before = new Map(attempts.jobs)
  const { verdicts, accepted, superseded, requeued, retried } = judgeAll(completions, attempts, {
    workflowId,
    workflow,
    facts,
    random: 0.5,
    ...options,
  })

  // The reply that named these scripts may have been lost.
  const repeated = completions.filter((_, at) => verdicts[at]?.code === 'duplicate')
  const openRecoveries = yield* listOpenRecoveries(repeated)
  const settled = new Set(accepted.map(report => report.job.id))
  const recorded = new Set(superseded.map(report => report.job.id).filter(id => !settled.has(id)))
  yield* storeResults(workflowId, superseded, now, true)
  yield* countResults([...recorded].map(id => attempts.jobs.get(id)!))
  if (accepted.length === 0) return { verdicts, ready: 0, leftOver: false, retries: openRecoveries }

  yield* storeResults(workflowId, accepted, now, false)
  yield* storeFileTimes(workflowId, accepted)
  yield* recordLosses(
    requeued.map(report => lossOf(report, workflow)),
    now,
  )
  yield* settleJobs(
    [...settled].map(id => ({ before: before.get(id)!, after: attempts.jobs.get(id)! })),
    now,
  )
  yield* recordRetries(workflowId, retried, now)
  const goOn = new Set([...requeued, ...retried.map(({ report }) => report)])
  const ended = accepted.filter(report => !goOn.has(report))
  yield* appendEvents(workflowId, now, ended.flatMap(eventsOf))
  const final = ended.filter(report => isComplete(report.status))
  const finished = final.map(({ job, status }) => ({ jobId: job.id, unsuccessful: isUnsuccessful(status) }))
  const fanout = final.reduce((sum, { job }) => sum + job.fanout, 0)
  const released = yield* releaseDependants(workflowId, finished, fanout, now)
  const newRetries = retried.map(({ report, retry }) => ({
    jobId: report.job.id,
    attemptId: report.attemptId,
    recoveryScript: retry.recoveryScript,
  }))
  return { verdicts, ...released, retries: [...newRetries, ...openRecoveries] }
}

type Circumstances = {
  workflowId: number
  workflow: WorkflowRow
  facts: ReadonlyMap<number, FailureFacts>
  now: number
  force?: boolean
  random: number
}

/** Judges entry by entry. What an entry makes of its job stands in `attempts` when the next one meets it. */
function judgeAll(completions: readonly Completion[], attempts: Attempts, at: Circumstances): Judged {
  const judged: Judged = { verdicts: [], accepted: [], superseded: [], requeued: [], retried: [] }
  const situation = {
    workflowId: at.workflowId,
    runId: at.workflow.run_id,
    now: at.now,
    force: at.force ?? false,
    nodeExists: (id: number) => attempts.nodes.has(id),
  }
  for (const completion of completions) {
    const job = attempts.jobs.get(completion.jobId)
    const lost = attempts.lostBy(completion)
    const found = job && storedJob(job, attempts.results.get(job.id) ?? [], lost)
    const verdict = judge(completion, found, situation)
    judged.verdicts.push(verdict)
    if (job === undefined) continue
    if (verdict.code === 'accepted' || verdict.code === 'salvaged') {
      const report = numberResult(completion, job, attempts, verdict.code === 'salvaged' ? lost : undefined)
      judged.accepted.push(report)
      const retried = retryOf(report, at)
      if (retried !== undefined) judged.retried.push(retried)
      const isLost = retried === undefined && isRequeued(report, at)
      if (isLost) judged.requeued.push(report)
      const again = { losses: isLost ? 1 : 0, goesOn: isLost || retried !== undefined }
      attempts.jobs.set(job.id, endAttempt(report, attempts.jobs.get(job.id)!, again))
    } else if (verdict.code === 'lost_claim' && lost !== undefined && !isRecorded(completion, lost, attempts)) {
      judged.superseded.push(numberResult(completion, job, attempts, lost, true))
    }
  }
  return judged
}

/** A late report that was refused is kept once, however often it comes. */
const isRecorded = ({ jobId, status, result }: Completion, { runId, attemptId }: LostAttempt, attempts: Attempts) =>
  attempts.results
    .get(jobId)
    ?.some(
      row =>
        row.superseded === 1 &&
        row.run_id === runId &&
        row.attempt_id === attemptId &&
        row.status === STATUS[status as JobStatus] &&
        row.return_code === result.return_code,
    ) === true

/** Gives the report's result its id and notes it, so that the batch's next entry meets it. */
function numberResult(
  completion: Completion,
  job: JobRow,
  attempts: Attempts,
  lost: LostAttempt | undefined,
  superseded = false,
): Report {
  const status = completion.status as JobStatus
  const attemptId = lost?.attemptId ?? job.attempt_id
  const results = attempts.results.get(job.id) ?? []
  // A result posted earlier for this very attempt is replaced; the job was not complete, so it was not final.
  const replaced = superseded
    ? undefined
    : results.find(row => row.superseded === 0 && row.run_id === completion.runId && row.attempt_id === attemptId)
  const count = replaced === undefined ? job.results + 1 : job.results
  const id = replaced?.id ?? job.id * RESULT_ID_STEP + count
  const row = {
    id,
    job_id: job.id,
    run_id: completion.runId,
    attempt_id: attemptId,
    status: STATUS[status],
    return_code: completion.result.return_code,
    superseded: superseded ? 1 : 0,
  }
  attempts.results.set(job.id, [...results.filter(other => other !== replaced), row])
  attempts.jobs.set(job.id, { ...job, results: count })
  return { completion, job, status, attemptId, resultId: id }
}

/** Whether the job is tried again after this failure. Nothing starts any more in a canceled workflow. */
function retryOf(report: Report, { facts: known, workflow, random }: Circumstances): Retried | undefined {
  const { completion, job } = report
  const facts = known.get(job.id)
  if (facts === undefined || completion.failureClass === undefined || workflow.is_canceled === 1) return undefined
  const { rules, policy, asked } = facts
  const attempt = {
    failureClass: completion.failureClass,
    returnCode: completion.result.return_code,
    ownAttempt: job.attempt_id - job.losses,
    asked,
  }
  const retry = decideRetry(attempt, policy, rules, random)
  return retry && { report, retry, facts }
}

/** Killed with its allocation, a job goes on elsewhere while it may lose another attempt, unless its owner wants to decide. */
const isRequeued = ({ completion, job, status }: Report, { workflow, facts }: Circumstances): boolean =>
  completion.failureClass === 'allocation_end' &&
  (status === 'terminated' || status === 'failed') &&
  !facts.get(job.id)?.rules.some(rule => rule.exitCodes.includes(ALLOCATION_END_CODE)) &&
  mayLoseAgain({ losses: job.losses, lossBudget: workflow.loss_budget })

/** The job after an attempt of it: final, waiting for its owner, or ready once more. */
function endAttempt({ status, resultId }: Report, job: JobRow, again: { losses: number; goesOn: boolean }): JobRow {
  const ended = { ...job, claim_token: null, lease_expires_at: null }
  if (again.goesOn) {
    // The ended attempt's result is not the job's: an older one stays the latest until the next attempt ends.
    ended.status = STATUS.ready
    ended.attempt_id++
    ended.losses += again.losses
  } else {
    ended.status = STATUS[status]
    ended.latest_result_id = resultId
  }
  return ended
}

const lossOf = ({ completion, job, attemptId }: Report, workflow: WorkflowRow) => ({
  jobId: job.id,
  workflowId: job.workflow_id,
  runId: completion.runId,
  attemptId,
  failureClass: 'allocation_end',
  computeNodeId: completion.result.compute_node_id,
  claimToken: job.claim_token,
  fence: job.fence,
  startedAt: job.started_at,
  losses: job.losses + 1,
  lossBudget: workflow.loss_budget,
})

function eventsOf({ completion, job, status }: Report): StreamEvent[] {
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
  type Row = { id: number; compute_node_id: number | null; started_at: number; run_id: number }
  const rows = yield* all<Row>(
    `WITH told AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 1 AS token, value ->> 2 AS at FROM json_each(?1))
     UPDATE job SET status = ${STATUS.running}, started_at = told.at, is_held = 0
     FROM told
     WHERE job.id = told.id AND job.workflow_id = ?2 AND job.status = ${STATUS.pending} AND job.claim_token = told.token
     RETURNING id, compute_node_id, started_at, (SELECT run_id FROM workflow WHERE id = ?2) AS run_id`,
    JSON.stringify(started.map(job => [job.jobId, job.claimToken, Math.round(job.startedAt)])),
    workflowId,
  )
  const events = rows.map(row => startedEvent(row.id, row.compute_node_id, row.run_id, row.started_at))
  yield* appendEvents(workflowId, now, events)
}
