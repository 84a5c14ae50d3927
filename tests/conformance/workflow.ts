import type { Caller } from '../helpers/app.ts'
import { seedNode } from '../helpers/seed.ts'
import type { Started } from '../helpers/workflow.ts'

type SpecJob = { name: string; command?: string; depends_on?: string[]; depends_on_regexes?: string[] }

/** Creates and starts a workflow from a workflow file, with a node that has room for all its jobs at once. */
export async function start(t: Caller, jobs: readonly SpecJob[]): Promise<Started> {
  const spec = { name: 'conformance', jobs: jobs.map(job => ({ command: 'true', ...job })) }
  const made = await t.post('/workflows/from_spec?file_name=s.json&start=true', spec)
  if (made.status !== 200) throw new Error(`Cannot start: ${made.status} ${JSON.stringify(made.body)}`)
  const workflowId: number = made.body.workflow_id
  const nodeId = await seedNode(t, workflowId, { num_cpus: 256, memory_gb: 64 })
  const list = await t.get(`/jobs?workflow_id=${workflowId}&limit=10000`)
  return { workflowId, nodeId, jobs: list.body.items.map((job: { id: number }) => job.id) }
}

export const jobsNamed = (...names: string[]): SpecJob[] => names.map(name => ({ name }))

/** The statuses of a workflow's jobs, in the order of their ids. */
export async function statusesOf(t: Caller, { workflowId }: Started): Promise<string[]> {
  const list = await t.get(`/jobs?workflow_id=${workflowId}&limit=10000`)
  return list.body.items.map((job: { status: string }) => job.status)
}

type Claimed = { id: number; claim_token: string; attempt_id: number; name: string }

/** Claims with a lease for the workflow's node. */
export async function claim(t: Caller, { workflowId, nodeId }: Started, fields: object = {}): Promise<Claimed[]> {
  const offer = { num_cpus: 256, memory_gb: 64, num_gpus: 0, num_nodes: 1 }
  const body = { ...offer, compute_node_id: nodeId, lease_seconds: 60, ...fields }
  const reply = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/100`, body)
  if (reply.status !== 200) throw new Error(`Cannot claim: ${reply.status} ${JSON.stringify(reply.body)}`)
  return reply.body.jobs
}
