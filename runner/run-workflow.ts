import { hostname } from 'node:os'
import { join } from 'node:path'
import { openActions } from './actions.ts'
import { detectCapacity } from './capacity/detect.ts'
import { type Capacity, createLedger, type Free } from './capacity/ledger.ts'
import { offerCapacity } from './capacity/offer.ts'
import { must } from './client/must.ts'
import { type Client, createClient } from './client.ts'
import { createFromFile, type ExpandedFile } from './create-workflow.ts'
import { INFO_NAME } from './defaults.ts'
import { lockDirectory } from './directory-lock.ts'
import { makeLogDirectory } from './finalise.ts'
import { findWorkflow } from './find-workflow.ts'
import { freeMemory } from './free-memory.ts'
import type { RunFacts } from './job-environment.ts'
import { endSurvivors } from './launcher/survivors.ts'
import { type LogFile, openLogFile } from './log-file.ts'
import type { LoopEnd } from './loop.ts'
import { type ControlPlane, runOnNode, type WireWorkflow } from './node-run.ts'
import {
  clearNodeDirectory,
  type NodeDirectory,
  type NodeState,
  openNodeDirectory,
  readNodeState,
  stillRuns,
  writeNodeState,
} from './node-state.ts'
import { createEpochs } from './outbox/epoch.ts'
import { deliverLeftover } from './outbox/leftovers.ts'
import { listOutboxFiles } from './outbox/outbox-file.ts'
import { recover } from './recover.ts'
import type { RunOptions, RunOutcome } from './run-options.ts'
import { summarize } from './run-summary.ts'
import type { Progress, RunSummary } from './screen/types.ts'
import { callerName } from './user.ts'
import type { WorkflowSummary } from './wire.ts'

const GIB = 2 ** 30

/**
 * Runs a workflow to its end on this node: opens the control plane, finds or creates the workflow, clears up after a killed runner,
 * and lets the loop work. Expected trouble is an outcome; only bugs and refused requests throw.
 */
export async function runWorkflow(options: RunOptions, progress: Progress): Promise<RunOutcome> {
  const startedAtMs = Date.now()
  const capacity = offerCapacity(options.capacity, detectCapacity())
  makeLogDirectory(options.outputDir)
  const directory = openNodeDirectory(options.outputDir)
  const lock = await lockDirectory(directory.path)
  const former = readNodeState(directory)
  if (lock === undefined || (former !== undefined && stillRuns(former))) return inUse(options, former)
  let controlPlane: ControlPlane | undefined
  try {
    controlPlane = await openControlPlane(options)
    return await runOn(controlPlane, { directory, former, capacity, options, progress, startedAtMs })
  } finally {
    progress.end()
    await controlPlane?.close()
    lock.release()
  }
}

async function openControlPlane(options: RunOptions): Promise<ControlPlane> {
  if (options.controlPlane.kind === 'server') {
    const { address } = options.controlPlane
    const { openPoolTransport } = await import('./client/pool-transport.ts')
    const epochs = createEpochs()
    const client = createClient(epochs.watch(await openPoolTransport(address, process.env)), address)
    return {
      client,
      epochs,
      apiUrl: address.baseUrl,
      create: spec => createByRequest(client, spec),
      close: () => client.close(),
    }
  }
  const { startLocalServer } = await import('./local-server.ts')
  const { createEmbeddedClient } = await import('./client/embedded-client.ts')
  const server = await startLocalServer({
    dbPath: options.controlPlane.dbPath,
    durability: options.durability,
    infoPath: join(options.outputDir, INFO_NAME),
  })
  const client = createEmbeddedClient(server)
  return {
    client,
    apiUrl: `${server.url}/torc-service/v1`,
    create: spec =>
      // Sharing with groups has rules, which the API holds.
      spec.workflow.accessGroups.length > 0
        ? createByRequest(client, spec)
        : server.createWorkflow(spec.workflow, {
            user: callerName(),
            submissionDirectory: process.cwd(),
            sourcePath: spec.path,
            sourceHash: spec.hash,
          }),
    close: () => server.close(),
  }
}

async function createByRequest(client: Client, spec: ExpandedFile): Promise<number> {
  return (await must(createFromFile(client, spec, process.cwd()))).workflow_id
}

/** Two runners in one directory would end each other's jobs. */
function inUse({ outputDir }: RunOptions, other: NodeState | undefined): RunOutcome {
  const who = other === undefined ? '' : `: process ${other.pid}`
  const message = `Cannot run here as another runner of this host uses ${outputDir}${who}; wait for it or give another --output-dir`
  return { kind: 'refused', exitCode: 3, message }
}

type Beginning = {
  directory: NodeDirectory
  former: NodeState | undefined
  capacity: Capacity
  options: RunOptions
  progress: Progress
  startedAtMs: number
}

async function runOn(
  controlPlane: ControlPlane,
  { directory, former, capacity, options, progress, startedAtMs }: Beginning,
): Promise<RunOutcome> {
  const { client } = controlPlane
  const { total } = createLedger(capacity)
  const found = await findWorkflow(controlPlane, options)
  if (found.kind === 'refused') return found
  const { workflowId } = found

  await emptyOutbox(directory, controlPlane, progress)
  if (former !== undefined) await clearUpAfter(former, directory, controlPlane, options, progress)
  // A state that cannot be read any more must not hide processes that the journal still names.
  else await endSurvivors(directory.journal)
  clearNodeDirectory(directory)
  await prepare(client, workflowId, options)
  freeMemory()

  const workflow = await must(client.request<WireWorkflow>('GET', `/workflows/${workflowId}`))
  const stdio = workflow.execution_config ?? {}
  const finish = async (
    end: LoopEnd | 'already_finished',
    timeUp: boolean,
    unrunnable: RunSummary['unrunnable'],
  ): Promise<RunOutcome> => {
    progress.end()
    const wallSeconds = (Date.now() - startedAtMs) / 1000
    return {
      kind: 'done',
      summary: await summarize(workflowId, {
        client,
        outputDir: options.outputDir,
        stdio,
        wallSeconds,
        end,
        timeUp,
        unrunnable,
      }),
    }
  }
  const summary = await must(client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
  if (summary.is_complete) return finish('already_finished', false, [])

  const node = await registerNode(client, workflowId, total, options)
  writeNodeState(directory, { computeNodeId: node.id, workflowId, runId: workflow.run_id, cwd: process.cwd() })
  const unrunnable = await oversizedJobs(client, workflowId, total, options)
  for (const job of unrunnable.slice(0, 3)) progress.note(`Job ${job.name} cannot run on this node: ${job.reason}`)
  if (unrunnable.length > 3) progress.note(`${unrunnable.length - 3} more jobs cannot run on this node`)

  const endAtMs = endOf(options, startedAtMs)
  const facts: RunFacts = {
    workflowId,
    apiUrl: controlPlane.apiUrl,
    outputDir: options.outputDir,
    runId: workflow.run_id,
    submissionDirectory: workflow.submission_directory,
  }
  const log = openLogFile(logPathOf(facts), options.logLevel, Date.now)
  const logged = withLog(progress, log)
  log.log('info', `Runs workflow ${workflowId} as node ${node.id}, process ${process.pid}`)
  const actions = await openActions({ client, workflowId, nodeId: node.id, facts, note: line => logged.note(line) })
  await actions.run('on_workflow_start', 'on_worker_start')
  const end = await runOnNode({
    facts,
    actions,
    log,
    controlPlane,
    capacity,
    options,
    progress: logged,
    directory,
    workflowId,
    workflow,
    nodeId: node.id,
    startedAtMs,
    endAtMs,
  })
  log.log('info', `Ends: ${end}`)
  if (end === 'offline') {
    const message = `Cannot reach the control plane any more: ${controlPlane.apiUrl}; what it was not told is kept in ${directory.path}: run the same command again, or \`runner reconcile ${options.outputDir}\``
    return { kind: 'refused', exitCode: 3, message }
  }
  await actions.run('on_jobs_ready', 'on_jobs_complete', 'on_workflow_complete', 'on_worker_complete')
  await client.request('PUT', `/compute_nodes/${node.id}`, {
    ...node,
    is_active: false,
    duration_seconds: (Date.now() - startedAtMs) / 1000,
  })
  clearNodeDirectory(directory)
  return finish(end, endAtMs !== undefined && Date.now() >= endAtMs, unrunnable)
}

/** The moment at which what runs is ended; undefined = never. */
function endOf({ timeLimitSeconds, endTimeMs }: RunOptions, startedAtMs: number): number | undefined {
  const byLimit = timeLimitSeconds === undefined ? undefined : startedAtMs + timeLimitSeconds * 1000
  if (byLimit === undefined || endTimeMs === undefined) return byLimit ?? endTimeMs
  return Math.min(byLimit, endTimeMs)
}

const logPathOf = ({ outputDir, workflowId, runId }: RunFacts): string =>
  join(outputDir, `job_runner_${hostname()}_wf${workflowId}_r${runId}.log`)

/** What is said to whoever watches stands in the log as well. */
const withLog = (progress: Progress, log: LogFile): Progress => ({
  update: state => progress.update(state),
  note(line) {
    log.log('warning', line)
    progress.note(line)
  },
  end: () => progress.end(),
})

/** Tells what earlier runners of this directory could not. What is not answered stays. */
async function emptyOutbox(
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

/** What a runner left that was killed: its jobs are ended, its exits told, its claims given back. */
async function clearUpAfter(
  former: NodeState,
  directory: NodeDirectory,
  { client, epochs }: ControlPlane,
  options: RunOptions,
  progress: Progress,
): Promise<void> {
  const reply = await client.request<WireWorkflow>('GET', `/workflows/${former.workflowId}`)
  if (!reply.ok && reply.status !== 404) throw new Error(reply.message)
  // The workflow or the database is another one now: nothing is left to tell, only processes to end.
  const node = reply.ok ? await client.request<object>('GET', `/compute_nodes/${former.computeNodeId}`) : reply
  if (!reply.ok || !node.ok) {
    await endSurvivors(directory.journal)
    return
  }
  const done = await recover(directory, former, {
    client,
    outputDir: options.outputDir,
    cwd: former.cwd,
    stdio: reply.value.execution_config ?? {},
    usePendingFailed: reply.value.use_pending_failed ?? false,
    workflowOptions: reply.value.options,
    // One in this process was away together with its runner.
    leasesMayHaveLapsed: epochs !== undefined,
  })
  await client.request('PUT', `/compute_nodes/${former.computeNodeId}`, { ...node.value, is_active: false })
  progress.note(`The last run was interrupted: ${done.reported} finished jobs recorded, ${done.lost} run again`)
}

/** Initialises what was not yet, and opens failures again when asked for. */
async function prepare(client: Client, workflowId: number, options: RunOptions): Promise<void> {
  const base = `/workflows/${workflowId}`
  const again = { repeatable: true }
  if (options.known === 'retry-failed') {
    await must(client.request('POST', `${base}/reset_status?force=true`, undefined, again))
    await must(client.request('POST', `${base}/reset_job_status?failed_only=true`, undefined, again))
  }
  const { jobs_by_status: counts } = await must(client.request<WorkflowSummary>('GET', `${base}/summary`))
  if ((counts.uninitialized ?? 0) > 0)
    await must(client.request('POST', `${base}/initialize_jobs?only_uninitialized=true`, undefined, again))
}

type Node = { id: number }

async function registerNode(client: Client, workflowId: number, total: Free, options: RunOptions): Promise<Node> {
  return must(
    client.request<Node>('POST', '/compute_nodes', {
      workflow_id: workflowId,
      hostname: hostname(),
      pid: process.pid,
      start_time: new Date().toISOString(),
      num_cpus: total.cpus,
      memory_gb: total.memoryBytes / GIB,
      num_gpus: total.gpus,
      num_nodes: 1,
      time_limit: options.timeLimitSeconds === undefined ? undefined : `PT${Math.ceil(options.timeLimitSeconds)}S`,
      scheduler_config_id: options.schedulerConfigId,
      compute_node_type: 'local',
      is_active: true,
      labels: options.labels,
    }),
  )
}

/** Jobs that need more than this whole node has. In queue-depth mode requirements are ignored. */
async function oversizedJobs(
  client: Client,
  workflowId: number,
  total: Free,
  options: RunOptions,
): Promise<RunSummary['unrunnable']> {
  if (options.capacity.slots !== undefined) return []
  const { cpus, memoryBytes, gpus } = total
  type Oversized = { job_id: number; name: string; reason: string }
  const { items } = await must(
    client.request<{ items: Oversized[] }>(
      'GET',
      `/workflows/${workflowId}/oversized_jobs?num_cpus=${cpus}&memory_bytes=${memoryBytes}&num_gpus=${gpus}`,
    ),
  )
  return items.map(item => ({ jobId: item.job_id, name: item.name, reason: item.reason }))
}
