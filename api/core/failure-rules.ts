/** One rule of a failure handler (spec-format.md 8). */
export type FailureRule = {
  exitCodes: readonly number[]
  matchesAll: boolean
  recoveryScript: string | undefined
  /** Attempts in all, the first included. */
  maxRetries: number
}

const DEFAULT_MAX_RETRIES = 3

/** Reads the stored text of a handler's rules. What cannot be read is no rule: clients write this text themselves. */
export function parseFailureRules(text: string): FailureRule[] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return []
  }
  return Array.isArray(list) ? list.map(rule => toRule(Object(rule))) : []
}

function toRule(rule: Record<string, unknown>): FailureRule {
  const { exit_codes: codes, match_all_exit_codes: all, recovery_script: script, max_retries: most } = rule
  return {
    exitCodes: Array.isArray(codes) ? codes.filter(code => typeof code === 'number') : [],
    matchesAll: all === true,
    recoveryScript: typeof script === 'string' && script.trim() !== '' ? script : undefined,
    maxRetries: typeof most === 'number' ? most : DEFAULT_MAX_RETRIES,
  }
}

/** The rule for an exit code: the first that lists it, else the first that takes all. */
export const ruleFor = (rules: readonly FailureRule[], code: number): FailureRule | undefined =>
  rules.find(rule => rule.exitCodes.includes(code)) ?? rules.find(rule => rule.matchesAll)
