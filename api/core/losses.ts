/** What a job that loses its node pays (requirements.md 3): a loss, not one of its own retries. */

/** Tells whether a job may lose one more attempt and still be handed out again. */
export const mayLoseAgain = ({ losses, lossBudget }: { losses: number; lossBudget: number }): boolean =>
  losses < lossBudget

/** What runners and Torc's tools report for an attempt that its allocation's end has killed. */
export const ALLOCATION_END_CODE = 152
