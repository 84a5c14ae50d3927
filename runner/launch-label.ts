import type { Attempt } from './attempt.ts'

/** What the launcher's journal keeps of an attempt: enough to tell the control plane how it ended, or that it is lost. */
export type LabelledAttempt = Pick<
  Attempt,
  'workflowId' | 'jobId' | 'runId' | 'attemptId' | 'computeNodeId' | 'claimToken'
>

/** Numbers, then the token, joined by points; the token may hold points itself. */
export function labelOf(attempt: LabelledAttempt): string {
  const { workflowId, jobId, runId, attemptId, computeNodeId, claimToken } = attempt
  return `${workflowId}.${jobId}.${runId}.${attemptId}.${computeNodeId}.${claimToken}`
}

/** Reads a label back; undefined when it is none of ours. */
export function parseLabel(label: string): LabelledAttempt | undefined {
  const parts = label.split('.')
  const [workflowId, jobId, runId, attemptId, computeNodeId] = parts.slice(0, 5).map(Number)
  const claimToken = parts.slice(5).join('.')
  const numbers = [workflowId, jobId, runId, attemptId, computeNodeId]
  if (claimToken === '' || numbers.some(number => !Number.isSafeInteger(number))) return undefined
  return {
    workflowId: workflowId!,
    jobId: jobId!,
    runId: runId!,
    attemptId: attemptId!,
    computeNodeId: computeNodeId!,
    claimToken,
  }
}
