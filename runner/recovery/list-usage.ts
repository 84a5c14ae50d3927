import { listAll } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import { listRequirements } from './failed-jobs.ts'
import { type Usage, type UsedResult, usageOf } from './usage.ts'

/** What the jobs of a workflow used, over all their attempts. */
export async function listUsage(controlPlane: ControlPlane, workflowId: number): Promise<Usage[]> {
  const { client, where } = controlPlane
  const doing = `look at what workflow ${workflowId} used`
  const path = `/results?workflow_id=${workflowId}&all_runs=true`
  const results = await listAll<UsedResult>(client, path, doing, where)
  type Job = { id: number; resource_requirements_id: number }
  const jobs = await listAll<Job>(client, `/jobs?workflow_id=${workflowId}`, doing, where)
  const requirementsOfJob = new Map(jobs.map(job => [job.id, job.resource_requirements_id]))
  return usageOf(results, requirementsOfJob, await listRequirements(controlPlane, workflowId))
}
