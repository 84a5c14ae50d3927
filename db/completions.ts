import type { Completion, Started } from '../api/core/completion.ts'
import { ALLOCATION_END_CODE, listsExitCode, mayLoseAgain } from '../api/core/losses.ts'
import { isComplete, isUnsuccessful, type JobStatus, STATUS } from '../api/core/status.ts'
import { judge, type Verdict } from '../api/core/verdicts.ts'
import { type Attempts, type JobRow, type LostAttempt, readAttempts, storedJob } from './attempt-rows.ts'
import { releaseDependants } from './cascade.ts'
import { BeingInitialized } from './initializing.ts'
import { recordLosses } from './lost-attempts.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import { countResults, type Report, settleJobs, storeFileTimes, storeResults } from './settle.ts'
import { appendEvents, type StreamEvent } from './stream-events.ts'
import { all, one, type Unit } from './unit.ts'

export type CompletedBatch = {
  verdicts: Verdict[]
  /** Jobs that are ready now because of this batch. */
  ready: number
  /** The cascade did not fit this transaction: call drainFrontier. */
  leftOver: boolean
}

type WorkflowRow = { run_id: number; state: string; loss_budget: number }

/** What a batch comes to: the reports that count, those kept for the record, and those whose job is handed out again. */
type Judged = { verdicts: Verdict[]; accepted: Report[]; superseded: Report[]; requeued: Report[] }

/**
 * Applies a batch of completions to one workflow inside the caller's transaction: a verdict per entry, in the order given; what is
 * accepted gets its result row, its file times, its event, and its dependants are released at once. Judged by api/core/verdicts.ts;
 * a bad entry never touches the others. `undefined` when the workflow does not exist; throws BeingInitialized.
 */
export function* completeJobs(
  workflowId: number,
  completions: readonly Completion[],
  options: { now: number; force?: boolean },
): Unit<CompletedBatch | undefined> {
  const { now } = options
  const workflow = yield* one<WorkflowRow>(
    `SELECT run_id, state, loss_budget FROM workflow WHERE id = ? AND state IN ('live', 'initializing')`,
    workflowId,
  )
  if (workflow === undefined) return undefined
  if (completions.length === 0) return { verdicts: [], ready: 0, leftOver: false }
  if (workflow.state === 'initializing') throw new BeingInitialized(workflowId)

  const attempts = yield* readAttempts(completions)
  const before = new Map(attempts.jobs)
  const deciding = yield* ownersOf(completions)
  const { verdicts, accepted, superseded, requeued } = judgeAll(completions, attempts, {
    workflowId,
    workflow,
    deciding,
    ...options,
  })

  const settled = new Set(accepted.map(report => report.job.id))
  const recorded = new Set(superseded.map(report => report.job.id).filter(id => !settled.has(id)))
  yield* storeResults(superseded, now, true)
  yield* countResults([...recorded].map(id => attempts.jobs.get(id)!))
  if (accepted.length === 0) return { verdicts, ready: 0, leftOver: false }

  yield* storeResults(accepted, now, false)
  yield* storeFileTimes(workflowId, accepted)
  yield* recordLosses(
    requeued.map(report => lossOf(report, workflow)),
    now,
  )
  yield* settleJobs(
    [...settled].map(id => ({ before: before.get(id)!, after: attempts.jobs.get(id)! })),
    now,
  )
  const ended = accepted.filter(report => !requeued.includes(report))
  yield* appendEvents(workflowId, now, ended.flatMap(eventsOf))
  const final = ended.filter(report => isComplete(report.status))
  const finished = final.map(({ job, status }) => ({ jobId: job.id, unsuccessful: isUnsuccessful(status) }))
  const fanout = final.reduce((sum, { job }) => sum + job.fanout, 0)
  const released = yield* releaseDependants(workflowId, finished, fanout, now)
  return { verdicts, ...released }
}

type Circumstances = {
  workflowId: number
  workflow: WorkflowRow
  deciding: ReadonlySet<number>
  now: number
  force?: boolean
}

/** Judges entry by entry. What an entry makes of its job stands in `attempts` when the next one meets it. */
function judgeAll(completions: readonly Completion[], attempts: Attempts, at: Circumstances): Judged {
  const judged: Judged = { verdicts: [], accepted: [], superseded: [], requeued: [] }
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
      const again = isRequeued(report, at)
      if (again) judged.requeued.push(report)
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

/** Killed with its allocation, a job goes on elsewhere while it may lose another attempt (requirements.md 3, failure classes). */
const isRequeued = ({ completion, job, status }: Report, { workflow, deciding }: Circumstances): boolean =>
  endedWithAllocation(completion) &&
  (status === 'terminated' || status === 'failed') &&
  !deciding.has(job.id) &&
  mayLoseAgain({ losses: job.losses, lossBudget: workflow.loss_budget })

const endedWithAllocation = (completion: Completion): boolean => completion.failureClass === 'allocation_end'

/** Jobs whose failure handler names the code of an allocation's end: their owner decides. */
function* ownersOf(completions: readonly Completion[]): Unit<Set<number>> {
  const ids = completions.filter(endedWithAllocation).map(entry => entry.jobId)
  if (ids.length === 0) return new Set()
  const rows = yield* all<{ id: number; rules: string }>(
    `SELECT t.id, h.rules FROM json_each(?) AS wanted CROSS JOIN job_text t ON t.id = wanted.value
     CROSS JOIN failure_handler h ON h.id = t.failure_handler_id`,
    JSON.stringify(ids),
  )
  return new Set(rows.filter(row => listsExitCode(row.rules, ALLOCATION_END_CODE)).map(row => row.id))
}

/** The job after an attempt of it: final, waiting for its owner, or ready once more. */
function endAttempt({ status, resultId }: Report, job: JobRow, requeued: boolean): JobRow {
  const free = { ...job, claim_token: null, lease_expires_at: null }
  // The ended attempt's result is not the job's: an older one stays the latest until the next attempt ends.
  if (requeued) return { ...free, status: STATUS.ready, attempt_id: job.attempt_id + 1, losses: job.losses + 1 }
  return { ...free, status: STATUS[status], latest_result_id: resultId }
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
