import type { FailurePolicy } from '../api/core/failure-evidence.ts'
import { type ReturnCodes, USUAL_CODES } from './execution-settings.ts'
import type { Measured } from './monitor/meter.ts'
import type { LogFiles } from './stdio.ts'
import type { ClaimedJob, CompletionEntry, FileTime } from './wire.ts'

/** Why an attempt ended, as far as its process cannot tell: the runner ended it, or the kernel for want of memory. The first reason wins; status and return code derive from it. */
export type EndReason = 'time_limit' | 'stopped' | 'canceled' | 'lost' | 'oom'

/** What a finished attempt needs to be told: kept in the launcher's journal too, so that the next runner can tell it. */
export type Attempt = {
  jobId: number
  workflowId: number
  runId: number
  attemptId: number
  claimToken: string
  computeNodeId: number
  /** Where the job ran: output paths are relative to it. */
  cwd: string
  outputs: readonly { id: number; path: string }[]
  logs: LogFiles
  deleteLogsOnSuccess: boolean
  /** Outputs are told with their sizes and hashes. */
  hashOutputs?: boolean
  /** What is recorded of a job that the runner ended; absent = the usual codes. */
  returnCodes?: ReturnCodes
  /** A failure without a rule of its own waits for its owner. */
  usePendingFailed: boolean
  /** What the job and its workflow say about failures; absent = nothing. */
  policy?: FailurePolicy
}

/** How the attempt's process ended, as the launcher reports it. Times are epoch milliseconds, CPU times milliseconds. */
export type ProcessEnd = {
  code?: number
  signal?: number
  error?: string
  startedAtMs: number
  exitedAtMs: number
  userMs: number
  systemMs: number
  peakMemoryBytes?: number
  /** What samples of its processes together have shown, where they were taken. */
  measured?: Measured
  /** It was killed for holding so much memory. */
  overMemoryBytes?: number
}

/** What the file system showed after the attempt. */
export type OutputCheck = { fileTimes: FileTime[]; missing: string[] }

const SIGNAL_BASE = 128
const MINUTE_MS = 60_000

type Outcome = Pick<CompletionEntry, 'status' | 'failure_class'> & { returnCode: number }

/** What became of an attempt: one decision, from the first reason for its end. A process that ended with 0 keeps its success. */
export function outcomeOf(
  end: ProcessEnd,
  outputs: OutputCheck,
  reason: EndReason | undefined,
  { usePendingFailed, returnCodes = USUAL_CODES }: Pick<Attempt, 'usePendingFailed' | 'returnCodes'>,
): Outcome {
  const failed = usePendingFailed ? 'pending_failed' : 'failed'
  if (end.error !== undefined)
    return { status: failed, failure_class: spawnErrorClass(end.error), returnCode: spawnErrorCode(end.error) }
  if (end.code === 0) {
    if (outputs.missing.length === 0) return { status: 'completed', returnCode: 0 }
    return { status: failed, failure_class: 'no_output', returnCode: 1 }
  }
  switch (reason) {
    case 'time_limit':
      return { status: 'terminated', failure_class: 'timeout', returnCode: returnCodes.timeout }
    case 'stopped':
      return { status: 'terminated', failure_class: 'allocation_end', returnCode: returnCodes.timeout }
    case 'canceled':
      return { status: 'canceled', failure_class: 'canceled', returnCode: codeOf(end) }
    case 'oom':
      return { status: failed, failure_class: 'oom', returnCode: returnCodes.oom }
    // Somebody else has the job by now: the report is for the record.
    case 'lost':
      return { status: 'terminated', failure_class: 'lease_expired', returnCode: codeOf(end) }
    case undefined:
      return {
        status: failed,
        failure_class: end.signal === undefined ? 'exit_code' : 'signal',
        returnCode: codeOf(end),
      }
  }
}

const codeOf = (end: ProcessEnd): number => end.code ?? SIGNAL_BASE + (end.signal ?? 0)

/** A log file or a directory that cannot be made for want of space is no fault of the command. */
const spawnErrorClass = (error: string): string => (/ENOSPC|EDQUOT/.test(error) ? 'disk_full' : 'spawn_error')

/** What shells answer when a command cannot be started: 127 when it is not there, 126 otherwise. */
const spawnErrorCode = (error: string): number => (error.includes('ENOENT') ? 127 : 126)

/** The completion entry of an ended attempt, in the wire's words. */
export function completionOf(
  attempt: Attempt,
  end: ProcessEnd,
  outputs: OutputCheck,
  reason: EndReason | undefined,
): CompletionEntry {
  const { status, failure_class, returnCode } = outcomeOf(end, outputs, reason, attempt)
  const entry: CompletionEntry = {
    job_id: attempt.jobId,
    status,
    run_id: attempt.runId,
    claim_token: attempt.claimToken,
    result: {
      job_id: attempt.jobId,
      workflow_id: attempt.workflowId,
      run_id: attempt.runId,
      attempt_id: attempt.attemptId,
      compute_node_id: attempt.computeNodeId,
      return_code: returnCode,
      exec_time_minutes: Math.max(0, end.exitedAtMs - end.startedAtMs) / MINUTE_MS,
      completion_time: new Date(end.exitedAtMs).toISOString(),
      status,
    },
    usage: {
      user_seconds: end.userMs / 1000,
      system_seconds: end.systemMs / 1000,
      peak_memory_bytes: peakMemoryOf(end),
    },
    phase_times:
      end.error === undefined ? { launched: end.startedAtMs, exited: end.exitedAtMs } : { exited: end.exitedAtMs },
  }
  if (end.measured !== undefined) addMeasured(entry, end.measured)
  if (failure_class !== undefined) entry.failure_class = failure_class
  if (outputs.fileTimes.length > 0) entry.file_times = outputs.fileTimes
  return entry
}

/** The kernel tells of the largest single process, exactly; samples of all together; the killer of what it acted on. */
function peakMemoryOf({ peakMemoryBytes, measured, overMemoryBytes }: ProcessEnd): number | undefined {
  const sampled = measured?.peakMemoryBytes ?? overMemoryBytes
  if (sampled === undefined) return peakMemoryBytes
  return Math.max(peakMemoryBytes ?? 0, sampled, overMemoryBytes ?? 0)
}

function addMeasured({ usage }: CompletionEntry, { avgMemoryBytes, peakCpuPercent, avgCpuPercent }: Measured): void {
  usage.avg_memory_bytes = avgMemoryBytes
  usage.peak_cpu_percent = peakCpuPercent
  usage.avg_cpu_percent = avgCpuPercent
}

/** The attempt a claimed job becomes when it is launched. */
export function attemptOf(
  job: ClaimedJob,
  facts: Pick<
    Attempt,
    | 'runId'
    | 'computeNodeId'
    | 'cwd'
    | 'logs'
    | 'deleteLogsOnSuccess'
    | 'hashOutputs'
    | 'returnCodes'
    | 'usePendingFailed'
    | 'policy'
  >,
): Attempt {
  // Each by its name: an engine makes a copy of `facts` with more in it many times slower, and every job comes through here.
  return {
    jobId: job.id,
    workflowId: job.workflow_id,
    attemptId: job.attempt_id,
    claimToken: job.claim_token,
    outputs: job.output_files ?? [],
    runId: facts.runId,
    computeNodeId: facts.computeNodeId,
    cwd: facts.cwd,
    logs: facts.logs,
    deleteLogsOnSuccess: facts.deleteLogsOnSuccess,
    hashOutputs: facts.hashOutputs,
    returnCodes: facts.returnCodes,
    usePendingFailed: facts.usePendingFailed,
    policy: facts.policy,
  }
}
