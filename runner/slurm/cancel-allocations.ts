import type { Client } from '../client.ts'
import type { CancelWhich, Scheduler } from '../schedulers/types.ts'
import type { ScheduledNode } from './rows.ts'

/** Which allocations: all that are in the queue or run, or only those that wait. */
type Which = Extract<CancelWhich['kind'], 'all' | 'queued'>

const STATUSES = { all: ['pending', 'active'], queued: ['pending'] } as const

export type Canceled = { ids: number[]; troubles: string[] }

/** Cancels allocations of a workflow at Slurm and says so in their records. One that Slurm does not answer for keeps its record. */
export async function cancelAllocations(
  workflowId: number,
  which: Which,
  client: Client,
  scheduler: Pick<Scheduler, 'cancel'>,
): Promise<Canceled> {
  const canceled: Canceled = { ids: [], troubles: [] }
  for (const row of await listOpen(workflowId, STATUSES[which], client)) {
    const outcome = await scheduler.cancel(String(row.scheduler_id), { kind: which })
    if (outcome.kind !== 'done') {
      canceled.troubles.push(`allocation ${row.scheduler_id}: ${outcome.message}`)
      continue
    }
    await client.request('PUT', `/scheduled_compute_nodes/${row.id}`, { ...row, status: 'canceled' })
    canceled.ids.push(row.scheduler_id)
  }
  return canceled
}

async function listOpen(workflowId: number, statuses: readonly string[], client: Client): Promise<ScheduledNode[]> {
  const rows: ScheduledNode[] = []
  for (const status of statuses) {
    const path = `/scheduled_compute_nodes?workflow_id=${workflowId}&status=${status}`
    const reply = await client.request<{ items: ScheduledNode[] }>('GET', path)
    if (reply.ok) rows.push(...reply.value.items.filter(row => row.scheduler_type === 'slurm'))
  }
  return rows
}
