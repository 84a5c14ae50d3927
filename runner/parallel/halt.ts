import { usageError } from '../command-line/error.ts'
import type { ExitCode } from '../command-line/verb.ts'
import { type End, SIGNAL_BASE } from './end.ts'

/** When to stop before the end, and how: `now` ends what runs, `soon` only starts nothing more. */
export type Halt = { when: 'now' | 'soon'; what: 'fail' | 'success' | 'done'; many: number; isPercent: boolean }

/** GNU parallel's older numbers. */
const NUMBERS: Record<string, string> = { '0': 'never', '1': 'soon,fail=1', '2': 'now,fail=1' }
const WORDS = /^(now|soon),(fail|success|done)=(\d+)(%?)$/

/** Reads `never`, `now,fail=1`, `soon,success=3`, `soon,fail=20%`; undefined means never. */
export function parseHalt(text: string | undefined): Halt | undefined {
  const words = text === undefined ? 'never' : (NUMBERS[text] ?? text)
  if (words === 'never') return undefined
  const match = WORDS.exec(words)
  if (match === null || Number(match[3]) < 1) {
    throw usageError(
      `Cannot read --halt as it must be never or like now,fail=1 or soon,done=20%: current value is ${text || '(empty)'}`,
    )
  }
  const [, when, what, many, percent] = match
  return { when: when as Halt['when'], what: what as Halt['what'], many: Number(many), isPercent: percent === '%' }
}

/** How many jobs have ended so far, of how many. */
export type Ends = { failed: number; succeeded: number; total: number }

/** Whether enough jobs have ended the way that was waited for. */
export function isReached(halt: Halt, { failed, succeeded, total }: Ends): boolean {
  const count = { fail: failed, success: succeeded, done: failed + succeeded }[halt.what]
  return count >= jobsFor(halt, total)
}

const jobsFor = ({ many, isPercent }: Halt, total: number): number => (isPercent ? (total * many) / 100 : many)

/**
 * GNU parallel's exit code of a run that was stopped: 0 after successes, the last job's own where one job was enough, the failures in per
 * cent of all jobs where that was asked for, else how many failed.
 */
export function haltExitCode(halt: Halt, { failed, total }: Ends, last: End): ExitCode {
  if (halt.what === 'success') return 0
  if (jobsFor(halt, total) === 1) return last.signal > 0 ? SIGNAL_BASE + last.signal : last.exitValue
  return endExitCode(halt, failed, total)
}

/** The same of a run that came to its end: how many failed, as far as counted, or with a share in --halt their share. */
export const endExitCode = (halt: Halt | undefined, failed: number, total: number): ExitCode =>
  halt?.isPercent ? Math.ceil((failed / total) * 100) : Math.min(failed, MOST_COUNTED + 1)

const MOST_COUNTED = 100
