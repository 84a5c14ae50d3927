/** An attempt of a job, as the step that runs it is called: accounting is told apart by it. */
export type StepAttempt = { jobId: number; runId: number; attemptId: number }

export const stepName = ({ jobId, runId, attemptId }: StepAttempt): string => `hr_j${jobId}_r${runId}_a${attemptId}`

/** The attempt that a step was for; undefined for steps that are not of ours. */
export function parseStepName(name: string): StepAttempt | undefined {
  const [, job, run, attempt] = /^hr_j(\d+)_r(\d+)_a(\d+)$/.exec(name) ?? []
  return job === undefined ? undefined : { jobId: Number(job), runId: Number(run), attemptId: Number(attempt) }
}
