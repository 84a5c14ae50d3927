import type { Client } from './client.ts'
import { type Adoption, adoptLauncher } from './launcher/adopt.ts'
import { endSurvivors } from './launcher/survivors.ts'
import { clearNodeDirectory, type NodeDirectory, type NodeState } from './node-state.ts'
import { deliverLeftover } from './outbox/leftovers.ts'
import { listOutboxFiles } from './outbox/outbox-file.ts'
import { type Recovered, recover } from './recover.ts'
import type { ControlPlane } from './run-control-plane.ts'
import type { RunSettings } from './run-options.ts'
import type { Progress } from './screen/types.ts'
import { readWorkflow, type WireWorkflow } from './serving.ts'
import { type AdoptedJob, readAdopted, type TakenOver } from './take-over.ts'

/** Tells what earlier runners of this directory could not. What is not answered stays. */
export async function emptyOutbox(
  { outbox }: NodeDirectory,
  { client, epochs }: ControlPlane,
  progress: Progress,
): Promise<void> {
  let told = 0
  for (const path of listOutboxFiles(outbox)) {
    const delivery = await deliverLeftover(client, path, { epoch: epochs?.current, now: Date.now() })
    told += delivery?.accepted ?? 0
  }
  if (told > 0) progress.note(`${told} finished jobs of an earlier run were told now`)
}

/**
 * What a runner left that was killed: exits are told, claims given back, its traces removed. What runs with a launcher that waits for
 * another runner goes on under this one when `mayTakeOver` allows it for its workflow; all else is ended. Without a state that can be read
 * there are still the processes that the journal names.
 */
export async function clearUpAfter(
  former: NodeState | undefined,
  directory: NodeDirectory,
  controlPlane: ControlPlane,
  { options, progress, mayTakeOver }: ClearUpOptions,
): Promise<TakenOver | undefined> {
  const left = { nodes: former?.nodes ?? [], cwd: former?.cwd ?? process.cwd() }
  const wanted = left.nodes.length > 0 && left.nodes.every(node => mayTakeOver(node.workflowId))
  const adoption = wanted ? await adoptLauncher(directory.journal) : undefined
  await endSurvivors(directory.journal, adoption?.launcherId)
  let done = await clearUpNodes(left, directory, controlPlane, { options, adoption })
  const takenOver = adoption && (await takeOver(adoption, done, controlPlane.client, left))
  // Ended after all, so that nothing goes on.
  if (adoption !== undefined && takenOver === undefined)
    done = [...done, ...(await clearUpNodes(left, directory, controlPlane, { options }))]
  if (former !== undefined) progress.note(describe(done, takenOver))
  if (takenOver === undefined) clearNodeDirectory(directory)
  return takenOver
}

export type ClearUpOptions = {
  options: RunSettings
  progress: Progress
  mayTakeOver(workflowId: number): boolean
}

function describe(done: readonly Recovered[], takenOver: TakenOver | undefined): string {
  const sum = (count: (one: Recovered) => number): number => done.reduce((all, one) => all + count(one), 0)
  const parts = [
    `${sum(one => one.reported)} finished jobs recorded`,
    ...(takenOver === undefined ? [] : [`${takenOver.jobs.length} go on`]),
    `${sum(one => one.lost)} run again`,
  ]
  return `The last run was interrupted: ${parts.join(', ')}`
}

/** Goes on with what runs; `undefined` when some of it is nobody's any more: then all of it is ended. */
async function takeOver(
  adoption: Adoption,
  done: readonly Recovered[],
  client: Client,
  { nodes, cwd }: Left,
): Promise<TakenOver | undefined> {
  const surviving = done.flatMap(one => one.surviving)
  const jobs: AdoptedJob[] = []
  for (const one of surviving) {
    const job = await readAdopted(client, one, cwd)
    if (job !== undefined) jobs.push(job)
  }
  if (jobs.length < adoption.running.length || jobs.length === 0) {
    await adoption.end()
    return undefined
  }
  const busy = new Set(surviving.map(({ attempt }) => attempt.computeNodeId))
  return { adoption, jobs, nodes: nodes.filter(node => busy.has(node.computeNodeId)) }
}

type Left = Pick<NodeState, 'nodes' | 'cwd'>
type HowTo = { options: RunSettings; adoption?: Adoption }

async function clearUpNodes(
  { nodes, cwd }: Left,
  directory: NodeDirectory,
  controlPlane: ControlPlane,
  how: HowTo,
): Promise<Recovered[]> {
  const done: Recovered[] = []
  for (const node of nodes) {
    const one = await clearUpNode({ ...node, cwd }, directory, controlPlane, how)
    if (one !== undefined) done.push(one)
  }
  return done
}

type FormerNode = { workflowId: number; computeNodeId: number; cwd: string }

/** The same in one workflow; undefined when that, or the whole database, is another one now: then nothing is left to tell. */
async function clearUpNode(
  former: FormerNode,
  directory: NodeDirectory,
  { client, epochs }: ControlPlane,
  { options: { outputDir, hashOutputs }, adoption }: HowTo,
): Promise<Recovered | undefined> {
  const reply = await client.request<WireWorkflow>('GET', `/workflows/${former.workflowId}`)
  if (!reply.ok && reply.status !== 404) throw new Error(reply.message)
  const node = reply.ok ? await client.request<object>('GET', `/compute_nodes/${former.computeNodeId}`) : reply
  if (!reply.ok || !node.ok) return undefined
  const done = await recover(directory, former, {
    client,
    outputDir,
    cwd: former.cwd,
    stdio: readWorkflow(reply.value).execution_config ?? {},
    usePendingFailed: reply.value.use_pending_failed ?? false,
    hashOutputs,
    workflowOptions: reply.value.options,
    // One in this process was away together with its runner.
    leasesMayHaveLapsed: epochs !== undefined,
    adoption,
  })
  if (done.surviving.length === 0)
    await client.request('PUT', `/compute_nodes/${former.computeNodeId}`, { ...node.value, is_active: false })
  return done
}
