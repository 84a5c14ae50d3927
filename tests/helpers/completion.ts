import { resultOf } from './seed.ts'
import type { Started } from './workflow.ts'

type Fields = {
  status?: string
  return_code?: number
  run_id?: number
  attempt_id?: number
  claim_token?: string
  failure_class?: string
}

/** One entry of a completion batch, as a runner sends it: completed with code 0 unless told otherwise. */
export function completionOf({ workflowId, nodeId }: Started, jobId: number, fields: Fields = {}) {
  const { status = 'completed', return_code = status === 'completed' ? 0 : 1, run_id = 0, attempt_id, ...rest } = fields
  return {
    job_id: jobId,
    status,
    run_id,
    result: resultOf(workflowId, jobId, nodeId, { status, return_code, run_id, attempt_id }),
    ...rest,
  }
}
