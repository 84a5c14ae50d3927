import type { FailurePolicy } from './failure-evidence.ts'
import { type FailureRule, ruleFor } from './failure-rules.ts'
import type { RetryOptions } from './spec/options.ts'

/** What an attempt asked for, and the next one asks for. */
export type Asked = { memoryBytes: number; runtimeSeconds: number; timeLimitSeconds?: number }

export type FailedAttempt = {
  failureClass: string
  returnCode: number
  /** Which of the job's own attempts this was, from 1; those that ended with their node are not its own. */
  ownAttempt: number
  asked: Asked
}

/** How the job goes on after a failed attempt: it has ended, or it is tried again after a pause. */
export type Retry = { pauseMs: number; recoveryScript: string | undefined; next: Asked }

/** Failures of the job itself that another try may mend. Losses are counted apart; the rest ends at once. */
const RETRIED: ReadonlySet<string> = new Set([
  'exit_code',
  'signal',
  'timeout',
  'oom',
  'no_output',
  'spawn_error',
  'disk_full',
  'postprocess_error',
])

/** How long a retry waits for the end of its recovery script: the runner that runs it may be gone. */
export const RECOVERY_PATIENCE_MS = 600_000

/** Share by which a pause is longer or shorter, so that jobs that failed together do not come back together. */
const JITTER = 0.2

/**
 * Decides about one failed attempt: undefined = the job has ended. A handler's rule for the exit code is asked first and its word is
 * final; else the job's `retry`. `random` is a number in 0..1.
 */
export function decideRetry(
  attempt: FailedAttempt,
  policy: FailurePolicy,
  rules: readonly FailureRule[],
  random: number,
): Retry | undefined {
  const { failureClass, returnCode, ownAttempt, asked } = attempt
  const rule = ruleFor(rules, returnCode)
  // A rule may name 152, the code of an allocation's end, which is no failure of the job itself.
  const isNamed = failureClass === 'allocation_end' && rule?.exitCodes.includes(returnCode) === true
  if (!RETRIED.has(failureClass) && !isNamed) return undefined
  const goesOn = rule === undefined ? mayRetry(policy.retry, failureClass, ownAttempt) : ownAttempt < rule.maxRetries
  if (!goesOn) return undefined
  return {
    pauseMs: pauseMs(policy.retry, ownAttempt, random),
    recoveryScript: rule?.recoveryScript,
    next: escalate(asked, failureClass, policy.retry),
  }
}

function mayRetry(retry: RetryOptions | undefined, failureClass: string, ownAttempt: number): boolean {
  if (retry === undefined || ownAttempt > retry.max) return false
  return retry.on.length === 0 || retry.on.includes(failureClass)
}

/** Doubles from the first pause to the longest. A handler without a `retry` beside it tries again at once, as Torc does. */
function pauseMs(retry: RetryOptions | undefined, ownAttempt: number, random: number): number {
  if (retry === undefined) return 0
  const seconds = Math.min(retry.backoff_max_seconds, retry.backoff_seconds * 2 ** (ownAttempt - 1))
  return Math.round(seconds * 1000 * (1 + JITTER * (2 * random - 1)))
}

/** More memory after running out of it, more time after running out of that; never beyond the cap, and never less than before. */
function escalate(asked: Asked, failureClass: string, retry: RetryOptions | undefined): Asked {
  if (failureClass === 'oom' && retry?.memory_factor !== undefined)
    return { ...asked, memoryBytes: Math.round(raise(asked.memoryBytes, retry.memory_factor, retry.max_memory_bytes)) }
  if (failureClass !== 'timeout' || retry?.runtime_factor === undefined) return asked
  const longer = (seconds: number) => Math.round(raise(seconds, retry.runtime_factor!, retry.max_runtime_seconds))
  return {
    ...asked,
    runtimeSeconds: longer(asked.runtimeSeconds),
    timeLimitSeconds: asked.timeLimitSeconds && longer(asked.timeLimitSeconds),
  }
}

const raise = (amount: number, factor: number, cap = Number.POSITIVE_INFINITY): number =>
  Math.max(amount, Math.min(cap, amount * factor))
