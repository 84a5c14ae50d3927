import type { CompletionEntry } from '../wire.ts'

/** How a job ended, as GNU parallel counts: a signal beside the exit value, and -1 for one that ran out of time. */
export type End = { exitValue: number; signal: number; startedAtMs: number; runtimeMs: number }

export const SIGNAL_BASE = 128
const TERM = 15
const BY_SIGNAL: ReadonlySet<string | undefined> = new Set(['signal', 'oom'])

export function endOf({ failure_class, result, phase_times }: CompletionEntry): End {
  const startedAtMs = phase_times.launched ?? phase_times.exited
  const times = { startedAtMs, runtimeMs: phase_times.exited - startedAtMs }
  if (failure_class === 'timeout') return { exitValue: -1, signal: TERM, ...times }
  if (BY_SIGNAL.has(failure_class) && result.return_code > SIGNAL_BASE) {
    return { exitValue: 0, signal: result.return_code - SIGNAL_BASE, ...times }
  }
  return { exitValue: result.return_code, signal: 0, ...times }
}

/** Ended by this program itself before its end: it has no result, and runs again when the same command resumes. */
export const isBrokenOff = ({ failure_class }: CompletionEntry): boolean =>
  failure_class === 'allocation_end' || failure_class === 'canceled'
