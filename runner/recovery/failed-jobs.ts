import type { JobStatus } from '../../api/core/status.ts'
import { expectValue, listAll } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { FailedJob, Requirements } from './decide.ts'

/** Canceled jobs follow from these and come back with them. */
const FAILED: readonly JobStatus[] = ['failed', 'terminated', 'pending_failed']

type Job = {
  id: number
  name: string
  status: JobStatus
  resource_requirements_id: number
  options?: { time_limit_seconds?: number }
}
type Result = {
  id: number
  job_id: number
  status: string
  return_code: number
  failure_class?: string
  exec_time_minutes: number
  peak_memory_bytes?: number
}

/** The jobs of a workflow that did not succeed, with what is known about their last end. */
export async function listFailedJobs({ client, where }: ControlPlane, workflowId: number): Promise<FailedJob[]> {
  const doing = `look at the failed jobs of workflow ${workflowId}`
  const jobs: Job[][] = []
  const results: Result[][] = []
  for (const status of FAILED) {
    const query = `workflow_id=${workflowId}&status=${status}`
    jobs.push(await listAll<Job>(client, `/jobs?${query}`, doing, where))
    results.push(await listAll<Result>(client, `/results?${query}&all_runs=true`, doing, where))
  }
  const ends = new Map<number, { failures: number; latest: Result }>()
  for (const result of results.flat().sort((a, b) => a.id - b.id)) {
    const failures = (ends.get(result.job_id)?.failures ?? 0) + 1
    ends.set(result.job_id, { failures, latest: result })
  }
  return jobs.flat().map(job => describe(job, ends.get(job.id)))
}

function describe(job: Job, end: { failures: number; latest: Result } | undefined): FailedJob {
  const latest = end?.latest
  return {
    id: job.id,
    name: job.name,
    requirementsId: job.resource_requirements_id,
    failures: end?.failures ?? 0,
    failureClass: latest?.failure_class,
    returnCode: latest?.return_code,
    peakMemoryBytes: latest?.peak_memory_bytes,
    seconds: latest && latest.exec_time_minutes * 60,
    timeLimitSeconds: job.options?.time_limit_seconds,
  }
}

/** How many jobs of a workflow have each set of requirements. */
export async function countUsers({ client, where }: ControlPlane, workflowId: number): Promise<Map<number, number>> {
  const path = `/jobs?workflow_id=${workflowId}`
  const jobs = await listAll<Job>(client, path, `look at the jobs of workflow ${workflowId}`, where)
  const users = new Map<number, number>()
  for (const { resource_requirements_id: id } of jobs) users.set(id, (users.get(id) ?? 0) + 1)
  return users
}

export type RequirementsRow = Requirements & { num_cpus: number; num_gpus: number; num_nodes: number }

export async function listRequirements(
  { client, where }: ControlPlane,
  workflowId: number,
): Promise<RequirementsRow[]> {
  const path = `/resource_requirements?workflow_id=${workflowId}`
  return listAll<RequirementsRow>(client, path, `look at the requirements of workflow ${workflowId}`, where)
}

/** Changes memory and runtime of a set, and nothing else of it. */
export async function changeRequirements(
  { client, where }: ControlPlane,
  id: number,
  change: { memory?: string; runtime?: string },
): Promise<void> {
  const doing = `change resource requirement set ${id}`
  const path = `/resource_requirements/${id}`
  const before = expectValue(await client.request<RequirementsRow>('GET', path), doing, where)
  const { memory = before.memory, runtime = before.runtime } = change
  expectValue(await client.request('PUT', path, { ...before, memory, runtime }), doing, where)
}
