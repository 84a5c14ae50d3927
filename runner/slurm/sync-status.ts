import { expectValue, listAll, withQuery } from '../commands/ask.ts'
import type { Scheduler } from '../schedulers/types.ts'
import { verdictOf } from '../schedulers/verdict.ts'
import { type Asked, listAllocations, type ScheduledNode } from './rows.ts'

type NodeRow = {
  id: number
  hostname: string
  is_active?: boolean
  scheduler?: { scheduler_id?: number }
}

/** An allocation that is over although nobody has said so. */
export type LostAllocation = {
  node: ScheduledNode
  /** Its runners that are still called active. */
  runners: NodeRow[]
  /** What its row is to say: canceled when no runner ever came up. */
  status: 'complete' | 'canceled'
  jobs: { id: number; name: string }[]
}

export type Looked =
  | { kind: 'looked'; lost: LostAllocation[]; alive: ScheduledNode[] }
  /** The queue could not be read: nothing follows from that. */
  | { kind: 'unknown'; message: string }

/** Rows of these states are believed to be in the queue or to run. */
const OPEN: ReadonlySet<string> = new Set(['pending', 'active'])

/**
 * Compares what the control plane believes of the allocations of a workflow with Slurm's queue. Rows are read before the queue, and an
 * allocation has to be missing from two listings one after the other, so that one just submitted is never taken for lost.
 */
export async function findLost(
  workflowId: number,
  asked: Asked,
  scheduler: Pick<Scheduler, 'list'>,
  pause: () => Promise<void>,
): Promise<Looked> {
  const open = (await listAllocations(asked, workflowId)).filter(row => OPEN.has(row.status))
  if (open.length === 0) return { kind: 'looked', lost: [], alive: [] }
  const first = await goneOf(open, scheduler)
  if ('message' in first) return { kind: 'unknown', message: first.message }
  let gone = first.gone
  if (gone.length > 0) {
    await pause()
    const second = await goneOf(gone, scheduler)
    if ('message' in second) return { kind: 'unknown', message: second.message }
    gone = second.gone
  }
  const lost: LostAllocation[] = []
  for (const node of gone) lost.push(await describe(node, asked))
  return { kind: 'looked', lost, alive: open.filter(node => !gone.includes(node)) }
}

async function goneOf(
  nodes: readonly ScheduledNode[],
  scheduler: Pick<Scheduler, 'list'>,
): Promise<{ gone: ScheduledNode[] } | { message: string }> {
  const ids = nodes.map(node => String(node.scheduler_id))
  const listing = await scheduler.list({ ids })
  if (listing.kind === 'unknown') return { message: listing.message }
  // Acknowledged before it was recorded, and recorded before the listing was asked for.
  const isGone = (id: string) => verdictOf(listing, { id, acknowledgedAtMs: listing.startedAtMs - 1 }) === 'gone'
  return { gone: nodes.filter(node => isGone(String(node.scheduler_id))) }
}

async function describe(node: ScheduledNode, { client, where }: Asked): Promise<LostAllocation> {
  const { workflow_id: workflowId } = node
  const doing = `read the runners of allocation ${node.scheduler_id}`
  const path = `/compute_nodes?workflow_id=${workflowId}&scheduled_compute_node_id=${node.id}`
  const runners = await listAll<NodeRow>(client, path, doing, where)
  const active = runners.filter(runner => runner.is_active === true)
  const jobs: LostAllocation['jobs'] = []
  for (const runner of active) {
    const query = withQuery('/jobs', { workflow_id: workflowId, active_compute_node_id: runner.id })
    jobs.push(...(await listAll<{ id: number; name: string }>(client, query, doing, where)))
  }
  return { node, runners: active, status: runners.length === 0 ? 'canceled' : 'complete', jobs }
}

/** What became of the jobs of a lost allocation. */
export type Settled = { again: number[]; failed: number[] }

/**
 * Says what an allocation's runners no longer can: their attempts are lost, which spends the loss budget and not the retries of their
 * jobs, the runners are gone, the allocation is over.
 */
export async function settleLost(
  { node, runners, status }: LostAllocation,
  { client, where }: Asked,
): Promise<Settled> {
  const doing = `settle allocation ${node.scheduler_id}`
  const settled: Settled = { again: [], failed: [] }
  for (const runner of runners) {
    const path = `/compute_nodes/${runner.id}/release`
    const released = expectValue(
      await client.request<{ released: number[]; lost: number[]; failed: number[] }>(
        'POST',
        path,
        { rest: true, rest_lost: 'node_lost' },
        { repeatable: true },
      ),
      doing,
      where,
    )
    settled.again.push(...released.lost, ...released.released)
    settled.failed.push(...released.failed)
    expectValue(await client.request('PUT', `/compute_nodes/${runner.id}`, { is_active: false }), doing, where)
  }
  const change = { ...node, status }
  expectValue(await client.request('PUT', `/scheduled_compute_nodes/${node.id}`, change), doing, where)
  return settled
}
