import type { Report } from './verdicts.ts'

/** CPU and memory of one attempt; absent values are unknown, never guessed. */
export type Usage = {
  user_seconds?: number
  system_seconds?: number
  peak_memory_bytes?: number
  avg_memory_bytes?: number
  peak_cpu_percent?: number
  avg_cpu_percent?: number
}

/** When things happened on the runner, epoch milliseconds. */
export type PhaseTimes = { claimed?: number; launched?: number; exited?: number }

/** One entry of a completion batch, after validation. */
export type Completion = Report & {
  result: Report['result'] & Usage & { exec_time_minutes: number; completion_time: string }
  failureClass?: string
  usage?: Usage
  phaseTimes?: PhaseTimes
  /** Output files seen after the attempt: modification times in seconds since 1970, and what was in them where somebody looked. */
  fileTimes?: readonly { fileId: number; stMtime: number; sizeBytes?: number; sha256?: string }[]
}

/** A held job that its runner has started meanwhile. */
export type Started = { jobId: number; claimToken: string; startedAt: number }
