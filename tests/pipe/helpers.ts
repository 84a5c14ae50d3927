import type { ExpandedJob, ExpandedWorkflow } from '../../api/core/spec/types.ts'
import type { Reply, TestApp } from '../helpers/app.ts'
import { resultOf, seedNode } from '../helpers/seed.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'

/** A request that stages what is ready, small enough for a test to look over. */
export const STAGING = { scheduler: 'slurm', directory: '/data/pipe/run_0001', walltime_seconds: 3600, threshold: 1 }

export type Staged = { workflowId: number; runId: number; jobs: number[] }

/** A workflow whose jobs are alike, with a pipe run of all of them. */
export async function stageRun(
  t: TestApp,
  jobs: readonly ExpandedJob[] = independent(3),
  { staging = {}, workflow = {} }: { staging?: object; workflow?: Partial<ExpandedWorkflow> } = {},
): Promise<Staged> {
  const started = await startWorkflow(t, workflowOf(jobs, workflow))
  const reply = await t.post(`/workflows/${started.workflowId}/pipe_runs`, { ...STAGING, ...staging })
  if (reply.status !== 200) throw new Error(`Cannot stage: ${reply.status} ${JSON.stringify(reply.body)}`)
  return { workflowId: started.workflowId, runId: reply.body.id, jobs: started.jobs }
}

/** Tells the control plane what a listing says of all submissions of a run. */
export async function observeRun(
  t: TestApp,
  runId: number,
  verdict: string,
  { ageMs = 0, ...rest }: { ageMs?: number; queued?: number; running?: number; asked?: boolean } = {},
): Promise<Reply> {
  const { body } = await t.get(`/pipe_runs/${runId}`)
  const { asked, ...sighting } = rest
  const submissions = body.submissions.map((one: { id: number }) => ({ id: one.id, verdict, ...sighting }))
  return t.post(`/pipe_runs/${runId}/observe`, { listing_age_ms: ageMs, submissions, asked })
}

/** Has a first array decided and acknowledged; gives the submission. */
export async function submitRun(t: TestApp, runId: number): Promise<{ id: number; name: string; width: number }> {
  const { body } = await observeRun(t, runId, 'unknown')
  if (body.submission === undefined) throw new Error(`Nothing to submit: ${JSON.stringify(body.decision)}`)
  await t.put(`/pipe_runs/${runId}/submissions/${body.submission.id}`, { state: 'submitted', scheduler_id: '77' })
  return body.submission
}

/** A node of the workflow that is an element of the run. */
export async function seedElement(t: TestApp, { workflowId, runId }: Staged, fields: object = {}): Promise<number> {
  const nodeId = await seedNode(t, workflowId, { num_cpus: 64, memory_gb: 64 })
  const reply = await t.post(`/pipe_runs/${runId}/runners`, { compute_node_id: nodeId, worker: 1, ...fields })
  if (reply.status !== 200) throw new Error(`Cannot bind: ${reply.status} ${JSON.stringify(reply.body)}`)
  return nodeId
}

export type ClaimedForTest = { id: number; claim_token: string; attempt_id: number }

export async function claimFor(t: TestApp, workflowId: number, nodeId: number, limit = 10): Promise<ClaimedForTest[]> {
  const reply = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/${limit}`, {
    num_cpus: 64,
    memory_gb: 64,
    num_gpus: 0,
    num_nodes: 1,
    compute_node_id: nodeId,
    lease_seconds: 120,
    start: true,
  })
  return reply.body.jobs
}

/** Ends claimed jobs with a status. */
export async function endJobs(
  t: TestApp,
  workflowId: number,
  nodeId: number,
  jobs: readonly ClaimedForTest[],
  status = 'completed',
  fields: object = {},
): Promise<Reply> {
  const completions = jobs.map(job => ({
    job_id: job.id,
    status,
    run_id: 0,
    claim_token: job.claim_token,
    ...fields,
    result: resultOf(workflowId, job.id, nodeId, {
      status,
      attempt_id: job.attempt_id,
      return_code: status === 'completed' ? 0 : 1,
    }),
  }))
  return t.post(`/workflows/${workflowId}/batch_complete_jobs`, { completions, verdicts: true })
}
