import { type JobStatus, STATUS } from '../../api/core/status.ts'
import { run } from '../../db/unit.ts'
import type { Caller, TestApp } from './app.ts'

/** Rows that most tests start from, made through the API. */

export async function seedWorkflow(t: Caller, fields: object = {}): Promise<number> {
  const reply = await t.post('/workflows', { name: 'w', user: 'u', ...fields })
  return created(reply.status, reply.body)
}

export async function seedJob(t: Caller, workflowId: number, fields: object = {}): Promise<number> {
  const reply = await t.post('/jobs', { workflow_id: workflowId, name: 'j', command: 'true', ...fields })
  return created(reply.status, reply.body)
}

export async function seedFile(t: Caller, workflowId: number, name: string, fields: object = {}): Promise<number> {
  const reply = await t.post('/files', { workflow_id: workflowId, name, path: `/data/${name}`, ...fields })
  return created(reply.status, reply.body)
}

export async function seedNode(t: Caller, workflowId: number, fields: object = {}): Promise<number> {
  const reply = await t.post('/compute_nodes', {
    workflow_id: workflowId,
    hostname: 'node-1',
    pid: 1,
    start_time: '2026-01-01T00:00:00Z',
    num_cpus: 4,
    memory_gb: 8,
    num_gpus: 0,
    num_nodes: 1,
    compute_node_type: 'local',
    ...fields,
  })
  return created(reply.status, reply.body)
}

/** A completed attempt as a client reports it. */
export const resultOf = (workflowId: number, jobId: number, nodeId: number, fields: object = {}) => ({
  workflow_id: workflowId,
  job_id: jobId,
  run_id: 0,
  compute_node_id: nodeId,
  return_code: 0,
  exec_time_minutes: 1,
  completion_time: '2026-01-01T00:01:00Z',
  status: 'completed',
  ...fields,
})

/** Puts a job into a status directly: claims and completions have tests of their own. */
export async function setStatus(t: TestApp, jobId: number, status: JobStatus): Promise<void> {
  await t.db.write(() => run('UPDATE job SET status = ? WHERE id = ?', STATUS[status], jobId))
}

function created(status: number, body: { id: number }): number {
  if (status !== 200) throw new Error(`Cannot seed: ${status} ${JSON.stringify(body)}`)
  return body.id
}
