import type { Refusal } from '../client.ts'
import { createAllocationName } from '../schedulers/name.ts'
import type { Listing, Scheduler } from '../schedulers/types.ts'
import { policyOf } from './config.ts'
import type { PassContext } from './context.ts'
import { judge } from './judge.ts'
import { findLostRunners, settleLostRunners } from './lost-runners.ts'
import { pauseQueues } from './pause-queues.ts'
import { plan as decide } from './plan.ts'
import { isFinal, tell } from './record.ts'
import { snapshotOf } from './snapshot.ts'
import { type Outcome, submit } from './submit.ts'
import { takeBack } from './take-back.ts'
import type { Decision } from './types.ts'
import type { WireDemand, WireRecent } from './wire.ts'

export type PassReport = {
  ok: true
  decision: Decision
  /** Requests that are not over after the pass. */
  open: number
  submitted: number
  refused: number
  canceled: number
}

/**
 * Looks once: what became of earlier requests, what ready jobs need, what to ask for and what to take back. Everything it does is noted
 * in the control plane before or right after, so that another process may go on at any point. Gives the refusal when the control plane
 * cannot be asked; trouble with the scheduler is noted and leaves all as it is.
 */
export async function allocateOnce(context: PassContext): Promise<PassReport | Refusal> {
  const { plan, config, client, scheduler, note, isOver } = context
  const query = `plan=${encodeURIComponent(plan.name)}&cluster=${encodeURIComponent(config.cluster)}`
  const reply = await client.request<WireDemand>('GET', `/workflows/${plan.workflow_id}/allocation_demand?${query}`)
  if (!reply.ok) return reply
  const demand = reply.value

  const openRows = demand.allocations.filter(row => !isFinal(row.state))
  const listing = await listOpen(scheduler, openRows)
  if (listing.kind === 'unknown') note(`Nothing is known of what waits and runs: ${listing.message}`)
  const judged = openRows.map(row => judge(row, listing))
  await settleLostRunners(findLostRunners(demand.runners, openRows, listing), context)
  const told = new Map<number, WireRecent>()
  for (const one of judged) told.set(one.row.id, await tell(one, context))
  const recent = demand.allocations.map(row => told.get(row.id) ?? row)
  const pauses = await pauseQueues(recent, judged, demand, context)

  const stillOpen = judged.filter(({ state }) => !isFinal(state))
  const policy = policyOf(config)
  // Nothing is needed of a plan that was stopped, and nothing more is asked for one that is paused.
  const isStopped = plan.state === 'stopped'
  const decision = decide(
    snapshotOf(isStopped ? { ...demand, groups: [] } : demand, judged, config, pauses),
    isStopped || isOver ? { ...policy, cancelAfterSeconds: 0 } : policy,
  )
  const canceled = await takeBack(decision.surplus, stillOpen, context)
  const outcomes: Outcome[] = []
  if (plan.state === 'active' && decision.submit.length > 0 && (await seesQueue(listing, openRows.length, context)))
    for (const wanted of decision.submit) outcomes.push(await submit(wanted, context))
  const submitted = outcomes.filter(outcome => outcome !== 'refused').length
  const refused = outcomes.length - submitted
  return { ok: true, decision, open: stillOpen.length + submitted, submitted, refused, canceled }
}

/** One listing for all of them; nobody is asked when there is nothing to ask for. */
function listOpen(scheduler: Scheduler, rows: readonly WireRecent[]): Promise<Listing> {
  const ids = rows.flatMap(({ scheduler_id }) => scheduler_id ?? [])
  const names = rows.filter(({ scheduler_id }) => scheduler_id === undefined).map(({ name }) => name)
  return scheduler.list({ ids, names })
}

/**
 * Whether this machine can ask the scheduler at all. Whoever cannot see the queue might fill it, and refusals of a machine that has no
 * client programs must not count against the plan.
 */
async function seesQueue(listing: Listing, asked: number, { scheduler, note }: PassContext): Promise<boolean> {
  const seen = asked > 0 ? listing : await scheduler.list({ ids: [], names: [createAllocationName()] })
  if (seen.kind === 'unknown' && asked === 0) note(`Nothing was asked for as the queue cannot be seen: ${seen.message}`)
  return seen.kind === 'listed'
}
