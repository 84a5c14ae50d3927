import type { JobOptions, PatternOptions, RetryOptions } from './spec/options.ts'

/** What a job and its workflow say about failures (spec-format.md 25). */
export type FailurePolicy = {
  retry?: RetryOptions
  transient?: PatternOptions
  deterministic?: PatternOptions
  eject?: boolean
}

type Keys = Pick<JobOptions, 'retry' | 'transient' | 'deterministic' | 'eject'>

/** A job's own keys win over those of its workflow, each as a whole: nothing is inherited inside of one. */
export function policyOf(job: Keys | undefined, workflow: Keys | undefined): FailurePolicy {
  return {
    retry: job?.retry ?? workflow?.retry,
    transient: job?.transient ?? workflow?.transient,
    deterministic: job?.deterministic ?? workflow?.deterministic,
    eject: job?.eject ?? workflow?.eject,
  }
}

/** Patterns of both kinds: nobody reads a log without one. */
export const logPatternsOf = ({ transient, deterministic }: FailurePolicy): string[] => [
  ...(deterministic?.log_patterns ?? []),
  ...(transient?.log_patterns ?? []),
]

/**
 * Whether a failure would come again however often the job is tried. Deterministic evidence decides, whatever else there is; without any
 * evidence a failure is taken for a transient one (requirements.md 3). `matches` tells whether a pattern is in the job's log.
 */
export function judgeEvidence(
  policy: FailurePolicy,
  returnCode: number,
  matches: (pattern: string) => boolean,
): 'deterministic' | 'transient' {
  const { deterministic } = policy
  if (deterministic === undefined) return 'transient'
  const isListed = deterministic.exit_codes.includes(returnCode) || deterministic.log_patterns.some(matches)
  return isListed ? 'deterministic' : 'transient'
}
