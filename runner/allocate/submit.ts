import type { Proof } from '../client/authorization.ts'
import { readRelayToken } from '../relay/token-file.ts'
import { createAllocationName } from '../schedulers/name.ts'
import type { SubmitOutcome } from '../schedulers/types.ts'
import { removeAccessFile, writeAccessFile } from './access-file.ts'
import type { PlanConfig } from './config.ts'
import type { PassContext } from './context.ts'
import { change } from './record.ts'
import { directoryOf, memoryFor, requestFor } from './request.ts'
import type { WantedRequest } from './types.ts'
import type { WireAllocation } from './wire.ts'

export type Outcome = 'submitted' | 'refused' | 'unknown'

/** Asks the queues of a request in their order until one takes it. Each try is noted first, and its outcome after it. */
export async function submit(wanted: WantedRequest, context: PassContext): Promise<Outcome> {
  for (const queue of wanted.queues) {
    const outcome = await submitTo(queue, wanted, context)
    if (outcome !== 'refused') return outcome
  }
  return 'refused'
}

async function submitTo(queue: string, wanted: WantedRequest, context: PassContext): Promise<Outcome> {
  const { plan, config, client, scheduler, note, proof } = context
  const name = createAllocationName()
  const body = {
    plan: plan.name,
    name,
    scheduler_type: config.scheduler,
    cluster: config.cluster,
    queue,
    width: wanted.width,
    nodes: wanted.nodes,
    cores: wanted.offer.cpus,
    memory_bytes: memoryFor(wanted.offer.memoryBytes, config),
    gpus: wanted.offer.gpus,
    walltime_seconds: wanted.walltimeSeconds,
    directory: directoryOf(config, name),
    reason: `${wanted.jobs} ready jobs; ${Math.round(wanted.wasteSeconds)} node seconds more than they ask for`,
    backlog: config.backlog,
  }
  const noted = await client.request<WireAllocation>('POST', `/workflows/${plan.workflow_id}/allocations`, body)
  if (!noted.ok) {
    note(`Nothing was submitted as it could not be noted: ${noted.message}`)
    return 'refused'
  }
  const row = noted.value
  const outcome = await tryToSubmit(() => {
    const accessFile = writeAccessFile(row.directory, proofFor(config, proof))
    return scheduler.submit(requestFor(name, queue, wanted, config, plan.workflow_id, accessFile))
  })
  const where = queue === '' ? '' : ` in ${queue}`
  switch (outcome.kind) {
    case 'submitted':
      note(
        `Allocation ${outcome.id}: ${wanted.width} × ${wanted.nodes} nodes${where} asked for, ${wanted.jobs} ready jobs`,
      )
      await change(
        row.id,
        {
          state: 'queued',
          scheduler_id: outcome.id,
          scheduler_config_id: config.scheduler_config_id,
          submitted_at: outcome.acknowledgedAtMs,
        },
        context,
      )
      return 'submitted'
    case 'refused':
      note(`The scheduler refused${where}: ${outcome.message}`)
      await change(row.id, { state: 'refused', message: outcome.message }, context)
      removeAccessFile(row.directory)
      return 'refused'
    case 'unknown':
      note(`It is not known whether ${name} was submitted${where}: ${outcome.message}`)
      await change(row.id, { message: outcome.message }, context)
      return 'unknown'
  }
}

const proofFor = ({ token_file }: PlanConfig, own: Proof): Proof =>
  token_file === undefined ? own : { token: readRelayToken(token_file) }

/** A script that cannot be written, or a request that cannot be said in this scheduler's words, was not submitted for sure. */
async function tryToSubmit(submission: () => Promise<SubmitOutcome>): Promise<SubmitOutcome> {
  try {
    return await submission()
  } catch (error) {
    return { kind: 'refused', message: (error as Error).message }
  }
}
