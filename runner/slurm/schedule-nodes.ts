import { join } from 'node:path'
import { parseWalltime } from '../../api/core/spec/slurm-text.ts'
import { writeAccessFile } from '../allocate/access-file.ts'
import { isLoopback } from '../client/proxy.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { usageError } from '../command-line/error.ts'
import { expectValue, listAll } from '../commands/ask.ts'
import { createAllocationName } from '../schedulers/name.ts'
import { directivesOf } from './directives.ts'
import {
  type Asked,
  listAllocations,
  objectOf,
  type ScheduledNode,
  type SlurmScheduler,
  type SlurmWorkflow,
} from './rows.ts'
import { checkMpi, runnerCommand } from './runner-command.ts'
import { renderAllocationScript } from './script.ts'
import { type Cluster, scriptDirectory, submitScript } from './submit.ts'

/** What is asked for: `count` allocations of one of the workflow's schedulers. */
export type NodesWish = {
  workflow: SlurmWorkflow
  scheduler: SlurmScheduler
  count: number
  perNode: boolean
  maxParallelJobs?: number
  leaseSeconds?: number
  /** Put before the name of each in the queue. */
  jobPrefix?: string
}

/** From where and how the runners of allocations work. */
export type Site = {
  /** Compute nodes have to reach it. */
  address: ServerAddress
  /** Absolute; all nodes see it. */
  outputDir: string
  /** Absolute: where jobs start. */
  cwd: string
}

export type Scheduled = {
  nodes: ScheduledNode[]
  /** Why there are fewer than were asked for. After a refusal the rest can be asked for again; else one more may be in the queue. */
  trouble?: { kind: 'refused' | 'unknown'; message: string }
}

/** The script for one allocation, and its name in the queue. */
export type PreparedScript = { name: string; text: string }

/** Renders the script of one allocation. Throws for settings that Slurm cannot be told. */
export function prepareScript(wish: NodesWish, site: Site, environmentFile: string | undefined): PreparedScript {
  const { scheduler, workflow } = wish
  const name = queueName(wish)
  // Slurm reads % in a path.
  const output = `${site.outputDir.replaceAll('%', '%%')}/slurm_output_wf${workflow.id}_sl%j`
  const execution = objectOf(workflow.execution_config)
  const mode = typeof execution.mode === 'string' ? execution.mode : 'direct'
  if (wish.perNode && mode !== 'direct') {
    throw usageError(`Cannot start a runner on each node as that needs mode direct: execution_config.mode is ${mode}`)
  }
  const text = renderAllocationScript({
    directives: directivesOf(
      scheduler,
      objectOf(workflow.slurm_defaults),
      { name, output: `${output}.o`, error: `${output}.e` },
      workflow.options?.site?.directives,
    ),
    command: runnerCommand({
      workflowId: workflow.id,
      url: site.address.baseUrl,
      outputDir: site.outputDir,
      schedulerConfigId: scheduler.id,
      maxParallelJobs: wish.maxParallelJobs,
      leaseSeconds: wish.leaseSeconds,
      caCert: site.address.caCert,
    }),
    cwd: site.cwd,
    nodes: scheduler.nodes,
    perNode: wish.perNode,
    mpi: checkMpi(typeof execution.srun_mpi === 'string' ? execution.srun_mpi : undefined),
    environment: environmentOf(wish),
    environmentFile,
    site: workflow.options?.site,
  })
  return { name, text }
}

/** What the runner reads of its allocation where Slurm's own variables do not tell. */
function environmentOf({ scheduler, perNode, count }: NodesWish): Record<string, string> {
  const seconds = parseWalltime(scheduler.walltime)
  return {
    HEADRACE_SCHEDULER: 'slurm',
    // Not the name in the queue, which allocations in a chain share: it names the runner's directory.
    HEADRACE_ALLOCATION_NAME: createAllocationName(),
    HEADRACE_ALLOCATION_RUNNERS: String(count * (perNode ? scheduler.nodes : 1)),
    ...(seconds !== undefined && Number.isFinite(seconds) && { HEADRACE_ALLOCATION_WALLTIME_SECONDS: String(seconds) }),
  }
}

/**
 * A name that nothing else in the queue has, so that a submission without an answer can be looked for; allocations in a chain share
 * one, since Slurm chains what is called the same.
 */
function queueName({ workflow, scheduler, jobPrefix }: NodesWish): string {
  if (scheduler.serialize_allocations) {
    if (jobPrefix === undefined) return `torc-wf${workflow.id}-sched${scheduler.id}`
    throw usageError(
      `Cannot use a job prefix as the allocations of scheduler ${scheduler.id} are serialized by their name`,
    )
  }
  if (jobPrefix === undefined) return createAllocationName()
  if (/^[A-Za-z0-9][\w.-]*$/.test(jobPrefix)) return `${jobPrefix}-${createAllocationName()}`
  throw usageError(`Cannot read --job-prefix as it must be letters, digits and . _ -: current value is ${jobPrefix}`)
}

/**
 * Submits allocations one after the other and records each the moment Slurm has acknowledged it. Stops at the first that is refused or
 * stays unanswered: what holds for one holds for the others. Nothing is recorded that was not submitted.
 */
export async function scheduleNodes(
  wish: NodesWish,
  asked: Asked,
  site: Site,
  cluster: Cluster,
  note: (line: string) => void,
): Promise<Scheduled> {
  const { scheduler, workflow } = wish
  const known = new Set((await listAllocations(asked, workflow.id)).map(row => String(row.scheduler_id)))
  if (isLoopback(new URL(site.address.baseUrl).hostname)) {
    note(
      `Compute nodes reach ${site.address.baseUrl} only if they are this machine: --url names the address they are to use`,
    )
  }
  // Of this call alone: scripts that are in the queue already go on with what was written for them.
  const directory = join(scriptDirectory(site.outputDir), createAllocationName())
  const environmentFile = writeAccessFile(directory, site.address)
  const nodes: ScheduledNode[] = []
  for (let done = 0; done < wish.count; done++) {
    const { name, text } = prepareScript(wish, site, environmentFile)
    const outcome = await submitScript({ name, directory, text, known }, cluster)
    if (outcome.kind !== 'submitted') {
      const fact = outcome.kind === 'refused' ? 'Slurm refuses' : 'it is not known whether Slurm has taken'
      const message = `${fact} an allocation of scheduler ${nameOf(scheduler)}: ${outcome.message}`
      return { nodes, trouble: { kind: outcome.kind, message } }
    }
    known.add(outcome.id)
    nodes.push(await record(outcome.id, scheduler, asked))
  }
  return { nodes }
}

/** Notes an allocation that Slurm has taken. Its runner may have been quicker: one that finds no row of its allocation makes it. */
async function record(id: string, scheduler: SlurmScheduler, { client, where }: Asked): Promise<ScheduledNode> {
  const doing = `record the allocation ${id}, which Slurm has taken`
  const query = `/scheduled_compute_nodes?workflow_id=${scheduler.workflow_id}&scheduler_id=${id}`
  const [known] = await listAll<ScheduledNode>(client, query, doing, where)
  if (known !== undefined) return known
  const body = {
    workflow_id: scheduler.workflow_id,
    scheduler_id: Number(id),
    scheduler_config_id: scheduler.id,
    scheduler_type: 'slurm',
    status: 'pending',
  }
  const reply = await client.request<ScheduledNode>('POST', '/scheduled_compute_nodes', body)
  return expectValue(reply, doing, where)
}

export const nameOf = ({ id, name }: Pick<SlurmScheduler, 'id' | 'name'>): string =>
  name === undefined ? String(id) : `${id} (${name})`
