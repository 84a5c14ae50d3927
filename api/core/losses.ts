/** What a job that loses its node pays (requirements.md 3): a loss, not one of its own retries. */

/** Tells whether a job may lose one more attempt and still be handed out again. */
export const mayLoseAgain = ({ losses, lossBudget }: { losses: number; lossBudget: number }): boolean =>
  losses < lossBudget

/** What runners and Torc's tools report for an attempt that its allocation's end has killed. */
export const ALLOCATION_END_CODE = 152

/** Tells whether a failure handler's rules name an exit code: then its owner wants to decide, and the job is not handed out again. */
export function listsExitCode(rules: string, code: number): boolean {
  let list: unknown
  try {
    list = JSON.parse(rules)
  } catch {
    return false
  }
  return Array.isArray(list) && list.some(rule => Array.isArray(rule?.exit_codes) && rule.exit_codes.includes(code))
}
