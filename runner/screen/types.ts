import type { JobStatus } from '../../api/core/status.ts'

export type StatusCounts = Record<JobStatus, number>

/** What the progress display shows; all moments are epoch milliseconds of the same clock. */
export type ProgressSnapshot = {
  workflowId: number
  name: string
  counts: StatusCounts
  /** 0 until the first look at the workflow; nothing is shown before. */
  total: number
  /** Jobs that ended under this runner since it started; the rate and the time left follow from them. */
  finishedHere: number
  /** When this runner started. */
  startedAtMs: number
  /** Jobs whose processes run here now, in any order. */
  running: readonly RunningJob[]
  /** Set once an interrupt or a time limit stops further claims; the display then says what is waited for. */
  draining?: boolean
  /** Why the control plane cannot be reached at the moment, in a few words. */
  offline?: string
}

export type RunningJob = { jobId: number; name: string; startedAtMs: number }

/** A live display of a run. It writes to its stream only, never twice as often as people can read. */
export type Progress = {
  /** Shows a new state. Cheap: may be called after every completion. */
  update(snapshot: ProgressSnapshot): void
  /** Writes one line that stays, above the display. */
  note(line: string): void
  /** Takes the display away (terminal) or writes the last state (pipe); later calls do nothing. */
  end(): void
}

export type FailedJob = {
  jobId: number
  name: string
  status: JobStatus
  returnCode?: number
  failureClass?: string
  /** Log files that exist, standard error first. */
  logPaths: readonly string[]
  /** The last lines of the most telling log, oldest first; empty when there is none. */
  tail: readonly string[]
}

export type RunSummary = {
  workflowId: number
  runId: number
  name: string
  counts: StatusCounts
  wallSeconds: number
  outputDir: string
  /** The first ten jobs that did not succeed. */
  failed: readonly FailedJob[]
  /** Jobs that cannot run on any node seen so far, with the reason; said instead of waiting for them. */
  unrunnable: readonly { jobId: number; name: string; reason: string }[]
  /** Why the run ended before every job had, when it did. */
  stoppedBy?: 'interrupt' | 'time_limit' | 'canceled' | 'no_room' | 'other_runners'
  /** Nothing was run: every job had ended before this command. */
  alreadyFinished?: boolean
}
