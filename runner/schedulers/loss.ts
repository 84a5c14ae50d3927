import { setTimeout as sleep } from 'node:timers/promises'
import type { EndReason, ProcessEnd } from '../attempt.ts'
import type { Execute } from '../job-threads/finalisers.ts'

/**
 * Schedulers signal every process of an allocation in the same instant, so a job often dies before the runner has heard that all is
 * over. Such a death is the allocation's, not the job's: it spends the loss budget (hpc.md 1.9).
 */
export type LossWatch = {
  /** The runner itself was signalled. */
  warned(): void
  /** Puts the reason to attempts that died with the allocation; those that died by such a signal wait a moment for it. */
  judge(execute: Execute): Execute
}

/** KILL 9, USR1 10, USR2 12, TERM 15, XCPU 24, by their numbers on Linux. */
const SIGNALS: ReadonlySet<number> = new Set([9, 10, 12, 15, 24])
/** What a shell answers whose child died by one. */
const SHELL_BASE = 128
const BEFORE_MS = 5_000
const AFTER_MS = 60_000
/** The runner's own signal comes within milliseconds of the job's, but the job's end may be read first. */
const PATIENCE_MS = 1_000

/** `endsAtMs` is when the walltime runs out. */
export function createLossWatch(
  endsAtMs: number | undefined,
  clock: () => number,
  patienceMs = PATIENCE_MS,
): LossWatch {
  let warnedAtMs: number | undefined

  const isNear = (moment: number | undefined, atMs: number): boolean =>
    moment !== undefined && atMs >= moment - BEFORE_MS && atMs <= moment + AFTER_MS
  const isLoss = ({ exitedAtMs }: ProcessEnd): boolean => isNear(warnedAtMs, exitedAtMs) || isNear(endsAtMs, exitedAtMs)

  return {
    warned() {
      warnedAtMs = clock()
    },
    judge: execute => task => {
      if (task.reason !== undefined || !diedBySignal(task.end)) return execute(task)
      if (isLoss(task.end)) return execute({ ...task, reason: LOST })
      return sleep(patienceMs).then(() => execute(isLoss(task.end) ? { ...task, reason: LOST } : task))
    },
  }
}

/** As when the runner had ended the job itself for the allocation's sake. */
const LOST: EndReason = 'stopped'

const diedBySignal = ({ signal, code }: ProcessEnd): boolean =>
  (signal !== undefined && SIGNALS.has(signal)) || (code !== undefined && SIGNALS.has(code - SHELL_BASE))
