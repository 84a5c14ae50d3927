import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../client.ts'
import { hostRuntime } from '../schedulers/runtime.ts'
import { insideSlurm } from '../schedulers/slurm/inside.ts'
import { createSlurm } from '../schedulers/slurm.ts'
import type { Inside, Scheduler } from '../schedulers/types.ts'
import type { WorkflowSummary } from '../wire.ts'
import { cancelAllocations } from './cancel-allocations.ts'
import type { ScheduledNode } from './rows.ts'

/** A runner's part in an allocation that the control plane knows of. */
export type Membership = {
  /** What its node is registered with besides (contract/notes.md 13.6). */
  facts: {
    compute_node_type: 'slurm'
    scheduler: {
      scheduler_id: number
      type: 'slurm'
      slurm_job_id: string
      allocation: string | undefined
      worker: number
    }
  }
  /** The name of the runner's log, as Torc calls it (spec-format.md 18.1). */
  logName: string
  /** The runner has ended and its node is no longer active: with the last of them the allocation is over. */
  leave(): Promise<void>
}

export type Joining = {
  client: Client
  workflowId: number
  /** The scheduler of the workflow that the allocation was asked for by; absent when a user has started the runner. */
  schedulerConfigId: number | undefined
  env: NodeJS.ProcessEnv
  /** These are passed in for tests: Slurm, and the pause between two looks. */
  scheduler?: Pick<Scheduler, 'cancel'>
  pause?(): Promise<void>
}

/** Whoever has submitted the allocation records it a moment later than Slurm may have started it. */
const LOOKS = 10
const BETWEEN_LOOKS_MS = 1_000

/**
 * Finds the record of the Slurm allocation that this runner is in and says that it is active. An allocation that nobody has recorded (its
 * submitter died) is recorded here. Undefined outside of Slurm, and for a runner that a user has started in an allocation of their own.
 */
export async function joinAllocation(joining: Joining): Promise<Membership | undefined> {
  const inside = insideSlurm(joining)
  if (inside === undefined) return undefined
  const row = (await findRow(joining, inside)) ?? (await makeRow(joining, inside))
  if (row === undefined) return undefined
  const { client, workflowId, env } = joining
  const say = (status: string) => client.request('PUT', `/scheduled_compute_nodes/${row.id}`, { ...row, status })
  if (row.status !== 'active') await say('active')
  return {
    facts: {
      compute_node_type: 'slurm',
      scheduler: {
        scheduler_id: row.id,
        type: 'slurm',
        slurm_job_id: inside.id,
        allocation: env.HEADRACE_ALLOCATION_NAME,
        worker: inside.worker,
      },
    },
    logName: `job_runner_slurm_wf${workflowId}_sl${inside.id}_n${inside.nodeRank ?? 0}_pid${process.pid}.log`,
    async leave() {
      const path = `/compute_nodes?workflow_id=${workflowId}&scheduled_compute_node_id=${row.id}&is_active=true&limit=1`
      const others = await client.request<{ total_count: number }>('GET', path)
      const now = await client.request<ScheduledNode>('GET', `/scheduled_compute_nodes/${row.id}`)
      // Somebody may have cancelled it meanwhile.
      const isActive = now.ok && now.value.status === 'active'
      if (isActive && others.ok && others.value.total_count === 0) await say('complete')
      const summary = await client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`)
      if (!summary.ok || !summary.value.is_complete) return
      // Nothing is left to do: what still waits in the queue would start for nothing.
      await cancelAllocations(workflowId, 'queued', client, joining.scheduler ?? createSlurm(hostRuntime(env)))
    },
  }
}

async function findRow(
  { client, workflowId, schedulerConfigId, pause }: Joining,
  { id }: Inside,
): Promise<ScheduledNode | undefined> {
  const path = `/scheduled_compute_nodes?workflow_id=${workflowId}&scheduler_id=${id}`
  // Nobody records what a user has asked Slurm for.
  const looks = schedulerConfigId === undefined ? 1 : LOOKS
  for (let look = 1; ; look++) {
    const reply = await client.request<{ items: ScheduledNode[] }>('GET', path)
    const row = reply.ok ? reply.value.items.find(one => one.scheduler_type === 'slurm') : undefined
    if (row !== undefined || look === looks) return row
    await (pause?.() ?? sleep(BETWEEN_LOOKS_MS))
  }
}

async function makeRow(
  { client, workflowId, schedulerConfigId }: Joining,
  { id }: Inside,
): Promise<ScheduledNode | undefined> {
  if (schedulerConfigId === undefined) return undefined
  const reply = await client.request<ScheduledNode>('POST', '/scheduled_compute_nodes', {
    workflow_id: workflowId,
    scheduler_id: Number(id),
    scheduler_config_id: schedulerConfigId,
    scheduler_type: 'slurm',
    status: 'active',
  })
  return reply.ok ? reply.value : undefined
}
