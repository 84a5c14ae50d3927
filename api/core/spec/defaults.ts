/** What a workflow gets when its file, or `exec`, says nothing; the values are the contract's. */
export const TIMES_AND_LIMITS = {
  computeNodeWaitForNewJobsSeconds: 90,
  computeNodeIgnoreWorkflowCompletion: false,
  computeNodeWaitForHealthyDatabaseMinutes: 20,
  lossBudget: 5,
} as const

/** Samples of a monitor; the same for files and for `exec`. */
export const MONITOR_SECONDS = { sample: 10, flush: 300 } as const
