import type { ListedElement, Listing } from '../schedulers/types.ts'
import { elementsOf, verdictOf } from '../schedulers/verdict.ts'
import type { PassContext } from './context.ts'
import type { WireDemand, WireRecent } from './wire.ts'

type Runner = WireDemand['runners'][number]

/**
 * Runners that are still called active and whose elements are proven to be over: a killed one says no goodbye. Of several runners of
 * one element only the newest may live, since a requeued element starts anew. What a bad listing does not show proves nothing.
 */
export function findLostRunners(runners: readonly Runner[], rows: readonly WireRecent[], listing: Listing): Runner[] {
  if (listing.kind === 'unknown') return []
  return rows.flatMap(row => {
    const { scheduler_id: id } = row
    if (id === undefined) return []
    const own = runners.filter(runner => runner.allocation === row.name)
    const verdict = verdictOf(listing, { id, acknowledgedAtMs: row.submitted_at ?? row.created_at })
    if (verdict === 'unknown') return []
    const elements = elementsOf(listing, id)
    return own.filter(runner => isReplaced(runner, own) || (!isUnclear(elements) && !mayRun(runner, elements)))
  })
}

const isReplaced = ({ id, worker }: Runner, others: readonly Runner[]): boolean =>
  others.some(other => other.worker === worker && other.id > id)

/** Elements whose state nobody can tell may be any of the runners'. */
const isUnclear = (elements: readonly ListedElement[]): boolean => elements.some(({ state }) => state === 'unknown')

/** A plain job has no index, and its worker is the first. */
const mayRun = ({ worker }: Runner, elements: readonly ListedElement[]): boolean =>
  elements.some(({ state, index }) => state === 'running' && (index ?? 1) === (worker ?? 1))

/** Gives back what lost runners held: their attempts are lost, which spends no retries, and their jobs are ready again at once. */
export async function settleLostRunners(lost: readonly Runner[], { client, note }: PassContext): Promise<void> {
  for (const { id, allocation } of lost) {
    const body = { rest: true, rest_lost: 'node_lost' }
    const reply = await client.request<{ lost: number[]; released: number[] }>(
      'POST',
      `/compute_nodes/${id}/release`,
      body,
      { repeatable: true },
    )
    // Its leases run out, too.
    if (!reply.ok) continue
    await client.request('PUT', `/compute_nodes/${id}`, { is_active: false })
    const jobs = reply.value.lost.length + reply.value.released.length
    note(`Runner ${id} of allocation ${allocation} is gone${jobs === 0 ? '' : `: ${jobs} jobs run again`}`)
  }
}
