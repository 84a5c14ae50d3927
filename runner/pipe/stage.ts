import { realpathSync, rmdirSync } from 'node:fs'
import type { WorkflowOptions } from '../../api/core/spec/options.ts'
import { must } from '../client/must.ts'
import type { ServerAddress } from '../client/server-address.ts'
import type { Client, Reply } from '../client.ts'
import { cannotRun, usageError } from '../command-line/error.ts'
import { VERSION } from '../version.ts'
import { makeRunDirectory } from './directory.ts'
import { writeFrozen } from './frozen.ts'
import { readMembers } from './members.ts'
import type { PipeOptions } from './options.ts'
import type { FrozenSpec, PipePlan, PipeRun } from './wire.ts'

/** Where and from where a run is staged. */
export type StagingPlace = {
  client: Client
  workflowId: number
  /** How compute nodes reach the control plane. */
  address: ServerAddress
  outputDir: string
  cwd: string
}

/** What staging would come to; nothing is written. Throws with the control plane's words, which name the field. */
export async function planRun(place: StagingPlace, options: PipeOptions): Promise<PipePlan> {
  const path = `/workflows/${place.workflowId}/pipe_runs?dry_run=true`
  return accepted(await place.client.request<PipePlan>('POST', path, await bodyFor(place, options, place.outputDir)))
}

/**
 * Freezes a run: the control plane stores its jobs and everything an element is started with, and its numbered directory gets a copy that
 * can be read back. Nothing is left behind when the control plane refuses.
 */
export async function stageRun(place: StagingPlace, options: PipeOptions): Promise<PipeRun> {
  const { client, workflowId, outputDir } = place
  const directory = makeRunDirectory(outputDir)
  const body = await bodyFor(place, options, directory)
  const reply = await client.request<PipeRun>('POST', `/workflows/${workflowId}/pipe_runs`, body)
  if (!reply.ok && reply.status !== undefined) rmdirSync(directory)
  const run = accepted(reply)
  writeFrozen(run, await readMembers(client, run.id))
  return run
}

async function bodyFor(place: StagingPlace, options: PipeOptions, directory: string): Promise<object> {
  return {
    scheduler: options.scheduler,
    directory,
    job_ids: options.jobIds,
    family: options.family,
    tags: options.tags,
    choose: options.choose,
    threshold: options.threshold,
    width: options.width,
    throttle: options.throttle,
    array_most: options.arrayMost,
    walltime_seconds: options.walltimeSeconds,
    slots: options.slots,
    grace_seconds: options.graceSeconds,
    post_step: options.postStep,
    spec: await specFor(place, options),
  }
}

export type Chosen = Omit<FrozenSpec, 'slots' | 'element'>

/** Everything that must be the same on every node, whatever its own settings are. */
export async function specFor(
  { client, workflowId, address, outputDir, cwd }: StagingPlace,
  options: PipeOptions,
): Promise<Chosen> {
  const workflow = await must(client.request<{ options?: WorkflowOptions }>('GET', `/workflows/${workflowId}`))
  const site = workflow.options?.site
  return {
    url: address.baseUrl,
    ca_cert: address.caCert,
    cwd,
    output_dir: outputDir,
    program: [process.execPath, realpathSync(process.argv[1]!)],
    version: VERSION,
    durability: options.durability,
    idle_exit_seconds: options.idleExitSeconds,
    lease_seconds: options.leaseSeconds,
    memory_bytes: options.memoryBytes,
    queue: options.queue,
    account: options.account,
    qos: options.qos,
    reservation: options.reservation,
    prologue: [...(site?.prologue ?? []), ...options.prologue],
    directives: [...(site?.directives ?? []), ...options.directives],
    parallel_environment: options.parallelEnvironment,
    memory_complex: options.memoryComplex,
  }
}

/** A request that cannot be is a mistake in the command line; the words are the control plane's own. */
function accepted<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value
  throw reply.status === 422 ? usageError(reply.message) : cannotRun(reply.message)
}
