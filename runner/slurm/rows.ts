/** The shapes that the Slurm side reads from the control plane: only the fields it uses. */

import type { WorkflowOptions } from '../../api/core/spec/options.ts'
import type { JsonObject } from '../../api/core/spec/types.ts'
import { expectValue, listAll } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'

export type SlurmScheduler = {
  id: number
  workflow_id: number
  name?: string
  account: string
  partition?: string
  qos?: string
  gres?: string
  mem?: string
  tmp?: string
  extra?: string
  nodes: number
  ntasks_per_node?: number
  walltime: string
  serialize_allocations: boolean
}

/** An allocation that was asked for; `scheduler_id` is the scheduler's number for it. */
export type ScheduledNode = {
  id: number
  workflow_id: number
  scheduler_id: number
  scheduler_config_id: number
  scheduler_type: string
  status: string
}

export type ScheduleNodesConfig = {
  scheduler_id?: number
  scheduler_type?: string
  num_allocations?: number
  start_one_worker_per_node?: boolean
  max_parallel_jobs?: number
}

export type WireAction = {
  id: number
  trigger_type: string
  action_type: string
  action_config: ScheduleNodesConfig
  job_ids?: number[]
  required_triggers: number
  persistent: boolean
  executed: boolean
}

export type SlurmWorkflow = {
  id: number
  name: string
  run_id: number
  slurm_defaults?: JsonObject | string
  execution_config?: { mode?: string; srun_mpi?: string } | string
  options?: WorkflowOptions
}

/** Who is asked: what these functions need of an open control plane. */
export type Asked = Pick<ControlPlane, 'client' | 'where'>

export const readWorkflow = async ({ client, where }: Asked, id: number): Promise<SlurmWorkflow> =>
  expectValue(await client.request<SlurmWorkflow>('GET', `/workflows/${id}`), `read workflow ${id}`, where)

export const listSchedulers = ({ client, where }: Asked, workflowId: number): Promise<SlurmScheduler[]> =>
  listAll(client, `/slurm_schedulers?workflow_id=${workflowId}`, `list the schedulers of workflow ${workflowId}`, where)

export const readScheduler = async ({ client, where }: Asked, id: number): Promise<SlurmScheduler> =>
  expectValue(await client.request<SlurmScheduler>('GET', `/slurm_schedulers/${id}`), `read scheduler ${id}`, where)

/** The allocations of a workflow that were asked of Slurm. */
export async function listAllocations({ client, where }: Asked, workflowId: number): Promise<ScheduledNode[]> {
  const doing = `list the allocations of workflow ${workflowId}`
  const rows = await listAll<ScheduledNode>(client, `/scheduled_compute_nodes?workflow_id=${workflowId}`, doing, where)
  return rows.filter(row => row.scheduler_type === 'slurm')
}

export { objectOf } from '../json-object.ts'
