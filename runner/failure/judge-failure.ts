import { type FailurePolicy, judgeEvidence, logPatternsOf } from '../../api/core/failure-evidence.ts'
import type { Matcher } from '../../api/core/spec/env.ts'
import type { Attempt } from '../attempt.ts'
import type { CompletionEntry } from '../wire.ts'
import { searchLogs } from './log-patterns.ts'

/** Judges failures by what jobs say about them. */
export type FailureJudge = {
  /** Loads the engine of patterns when one of these policies has any; before it is loaded patterns match nothing. */
  prepare(policies: Iterable<FailurePolicy | undefined>): Promise<void>
  /** The entry as it is reported: a failure that would come again is `deterministic`, and ejected where that is asked for. */
  judge(entry: CompletionEntry, attempt: Attempt): CompletionEntry
}

/** Failures of the job itself, of which its exit code or its log may tell more. */
const TELLING: ReadonlySet<string | undefined> = new Set(['exit_code', 'signal', 'no_output', 'timeout', 'oom'])

const NOTHING: Matcher = { compile: () => ({ test: () => false }) }

export function createFailureJudge(): FailureJudge {
  let matcher: Matcher | undefined
  return {
    async prepare(policies) {
      if (matcher !== undefined) return
      for (const policy of policies) {
        if (policy === undefined || logPatternsOf(policy).length === 0) continue
        const { loadMatcher } = await import('../../api/spec/matcher.ts')
        matcher = await loadMatcher()
        return
      }
    },
    judge(entry, attempt) {
      const { policy, logs } = attempt
      if (policy === undefined || !TELLING.has(entry.failure_class)) return entry
      const evidence = judgeEvidence(policy, entry.result.return_code, searchLogs(logs, matcher ?? NOTHING))
      if (evidence === 'transient') return entry
      const status = policy.eject ? 'pending_failed' : entry.status
      return { ...entry, status, failure_class: 'deterministic', result: { ...entry.result, status } }
    },
  }
}
