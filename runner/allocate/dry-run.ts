import type { Client, Reply } from '../client.ts'
import { scriptText } from '../schedulers/describe.ts'
import { createAllocationName } from '../schedulers/name.ts'
import type { AllocationRequest, ProbeOutcome, Scheduler } from '../schedulers/types.ts'
import { type PlanConfig, policyOf } from './config.ts'
import { judge } from './judge.ts'
import { plan as decide } from './plan.ts'
import { isFinal } from './record.ts'
import { requestFor } from './request.ts'
import { snapshotOf } from './snapshot.ts'
import type { Decision, WantedRequest } from './types.ts'
import type { WireDemand } from './wire.ts'

/** A submission that would be made: its script, and what the scheduler says of it without taking it. */
export type Rehearsed = { wanted: WantedRequest; script: string; probe: ProbeOutcome }

export type DryRun = { decision: Decision; requests: Rehearsed[]; isExample: boolean }

/**
 * Decides as a pass would and submits nothing. When nothing is to be asked for, one request for one node is shown as an example, so
 * that a script can be looked at before there is work.
 */
export async function rehearse(
  client: Client,
  workflowId: number,
  planName: string,
  config: PlanConfig,
  scheduler: Scheduler,
): Promise<Reply<DryRun>> {
  const query = `plan=${encodeURIComponent(planName)}&cluster=${encodeURIComponent(config.cluster)}`
  const reply = await client.request<WireDemand>('GET', `/workflows/${workflowId}/allocation_demand?${query}`)
  if (!reply.ok) return reply
  const demand = reply.value
  const open = demand.allocations.filter(row => !isFinal(row.state))
  const listing = await scheduler.list({ ids: open.flatMap(({ scheduler_id }) => scheduler_id ?? []) })
  const judged = open.map(row => judge(row, listing))
  const decision = decide(snapshotOf(demand, judged, config, {}), policyOf(config))
  const isExample = decision.submit.length === 0
  const wanted = isExample ? [exampleFor(config)] : decision.submit
  const requests: Rehearsed[] = []
  for (const one of wanted) {
    const request = requestFor(createAllocationName(), one.queues[0], one, config, workflowId, undefined)
    const script = scriptText(scheduler.renderScript(request))
    requests.push({ wanted: one, script, probe: await scheduler.probe(request) })
  }
  return { ...reply, value: { decision, requests, isExample } }
}

/** The smallest request that a plan leads to. */
export const exampleRequest = (config: PlanConfig, workflowId: number): AllocationRequest =>
  requestFor(createAllocationName(), config.queues[0]!.name, exampleFor(config), config, workflowId, undefined)

const exampleFor = ({ queues, cpus, memory_bytes, gpus, walltimes_seconds }: PlanConfig): WantedRequest => ({
  queues: [queues[0]!.name],
  width: 1,
  nodes: 1,
  offer: { cpus: cpus ?? 1, memoryBytes: memory_bytes ?? 0, gpus: gpus ?? 0 },
  walltimeSeconds: walltimes_seconds[0]!,
  jobs: 0,
  wasteSeconds: walltimes_seconds[0]!,
})
