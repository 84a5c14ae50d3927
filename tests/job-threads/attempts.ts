import type { Attempt } from '../../runner/attempt.ts'
import type { Ended } from '../../runner/job-threads/finalisers.ts'

/** An attempt of a job whose process has ended with 0, unless told otherwise. */
export function endedOf(jobId: number, fields: Partial<Attempt> & { code?: number } = {}): Ended {
  const { code = 0, ...rest } = fields
  const attempt: Attempt = {
    jobId,
    workflowId: 1,
    runId: 0,
    attemptId: 1,
    claimToken: `t${jobId}`,
    computeNodeId: 1,
    cwd: '/',
    outputs: [],
    logs: { stdout: null, stderr: null },
    deleteLogsOnSuccess: false,
    usePendingFailed: false,
    ...rest,
  }
  const needs = { num_cpus: 1, num_gpus: 0, memory_bytes: 0, runtime_seconds: 60 }
  const job = { id: jobId, workflow_id: 1, name: `job ${jobId}`, command: 'true', status: 'running', attempt_id: 1 }
  return {
    job: { ...job, claim_token: attempt.claimToken, claimed_at: 0, resource_requirements: needs },
    attempt,
    end: { tag: jobId, code, startedAtMs: 0, exitedAtMs: jobId, userMs: 0, systemMs: 0, strays: 0 },
    reason: undefined,
  }
}
