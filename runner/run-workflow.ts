import { hostname } from 'node:os'
import { join } from 'node:path'
import { attemptOf } from './attempt.ts'
import { detectCapacity } from './capacity/detect.ts'
import { type Capacity, createLedger, type Free, type Grant } from './capacity/ledger.ts'
import { offerCapacity } from './capacity/offer.ts'
import { ControlPlaneError, must } from './client/must.ts'
import { type Client, createClient, type Refusal, type Reply } from './client.ts'
import { INFO_NAME } from './defaults.ts'
import { finalise, makeLogDirectory } from './finalise.ts'
import { findWorkflow } from './find-workflow.ts'
import { jobEnvironment, shellText } from './job-environment.ts'
import { openLauncher } from './launcher/open.ts'
import { createLoop, type LoopApi, type LoopEnd, type LoopState } from './loop.ts'
import {
  clearNodeDirectory,
  type NodeDirectory,
  openNodeDirectory,
  readNodeState,
  stillRuns,
  writeNodeState,
} from './node-state.ts'
import { recover } from './recover.ts'
import type { RunOptions, RunOutcome } from './run-options.ts'
import { summarize } from './run-summary.ts'
import { readCounts } from './screen/status.ts'
import type { Progress, RunSummary } from './screen/types.ts'
import { logFiles, type StdioSettings, stdioOf } from './stdio.ts'
import type { ClaimedJob, ExchangeReply, WorkflowSummary } from './wire.ts'

/** TERM, then KILL after this long (design.md, Defaults). */
const GRACE_MS = 30_000
const GIB = 2 ** 30
/** How often the workflow is looked at while jobs run: as often as a display is redrawn, or as a server can bear. */
const LOOK_HERE_MS = 500
const LOOK_THERE_MS = 5_000
/** A launcher that dies is replaced; one that dies again and again is somebody's wish. */
const LAUNCHERS_AT_MOST = 20

type WireWorkflow = {
  name: string
  run_id: number
  use_pending_failed?: boolean
  execution_config?: StdioSettings & { limit_resources?: boolean }
  submission_directory?: string
  compute_node_wait_for_healthy_database_minutes: number
}

type ControlPlane = { client: Client; apiUrl: string; close(): Promise<void> }

/**
 * Runs a workflow to its end on this node: opens the control plane, finds or creates the workflow, clears up after a killed runner,
 * and lets the loop work. Expected trouble is an outcome; only bugs and refused requests throw.
 */
export async function runWorkflow(options: RunOptions, progress: Progress): Promise<RunOutcome> {
  const startedAtMs = Date.now()
  const capacity = offerCapacity(options.capacity, detectCapacity())
  makeLogDirectory(options.outputDir)
  const controlPlane = await openControlPlane(options)
  try {
    return await runOn(controlPlane, capacity, options, progress, startedAtMs)
  } finally {
    progress.end()
    await controlPlane.close()
  }
}

async function openControlPlane(options: RunOptions): Promise<ControlPlane> {
  if (options.controlPlane.kind === 'server') {
    const { address } = options.controlPlane
    const { openPoolTransport } = await import('./client/pool-transport.ts')
    const client = createClient(await openPoolTransport(address, process.env), { token: address.token })
    return { client, apiUrl: address.baseUrl, close: () => client.close() }
  }
  const { startLocalServer } = await import('./local-server.ts')
  const { createAppTransport } = await import('./client/app-transport.ts')
  const server = await startLocalServer({
    dbPath: options.controlPlane.dbPath,
    durability: options.durability,
    infoPath: join(options.outputDir, INFO_NAME),
  })
  const client = createClient(createAppTransport(server.app), { token: server.token })
  return { client, apiUrl: `${server.url}/torc-service/v1`, close: () => server.close() }
}

async function runOn(
  controlPlane: ControlPlane,
  capacity: Capacity,
  options: RunOptions,
  progress: Progress,
  startedAtMs: number,
): Promise<RunOutcome> {
  const { client } = controlPlane
  const { total } = createLedger(capacity)
  const directory = openNodeDirectory(options.outputDir)
  const former = readNodeState(directory)
  if (former !== undefined && stillRuns(former)) {
    return {
      kind: 'refused',
      exitCode: 3,
      message: `Cannot run here as another runner of this host uses ${options.outputDir}: process ${former.pid}; wait for it or give another --output-dir`,
    }
  }
  const found = await findWorkflow(client, options)
  if (found.kind === 'refused') return found
  const { workflowId } = found

  if (former !== undefined) await clearUpAfter(former, directory, client, options, progress)
  clearNodeDirectory(directory)
  await prepare(client, workflowId, options)

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
  writeNodeState(directory, { computeNodeId: node.id, workflowId, runId: workflow.run_id })
  const unrunnable = await oversizedJobs(client, workflowId, total, options)
  for (const job of unrunnable.slice(0, 3)) progress.note(`Job ${job.name} cannot run on this node: ${job.reason}`)
  if (unrunnable.length > 3) progress.note(`${unrunnable.length - 3} more jobs cannot run on this node`)

  const endAtMs = options.timeLimitSeconds === undefined ? undefined : startedAtMs + options.timeLimitSeconds * 1000
  const end = await runLoops({
    controlPlane,
    capacity,
    options,
    progress,
    directory,
    workflowId,
    workflow,
    nodeId: node.id,
    startedAtMs,
    endAtMs,
  })
  if (end === 'offline') {
    const message = `Cannot reach the control plane any more: ${controlPlane.apiUrl}; what it was not told is kept in ${directory.path}, run the same command again`
    return { kind: 'refused', exitCode: 3, message }
  }
  await client.request('PUT', `/compute_nodes/${node.id}`, {
    ...node,
    is_active: false,
    duration_seconds: (Date.now() - startedAtMs) / 1000,
  })
  clearNodeDirectory(directory)
  return finish(end, endAtMs !== undefined && Date.now() >= endAtMs, unrunnable)
}

/** What a runner left that was killed: its jobs are ended, its exits told, its claims given back. */
async function clearUpAfter(
  former: { workflowId: number; computeNodeId: number },
  directory: NodeDirectory,
  client: Client,
  options: RunOptions,
  progress: Progress,
): Promise<void> {
  const reply = await client.request<WireWorkflow>('GET', `/workflows/${former.workflowId}`)
  if (!reply.ok && reply.status !== 404) throw new Error(reply.message)
  // The workflow or the database is another one now: nothing is left to tell, only processes to end.
  const node = reply.ok ? await client.request<object>('GET', `/compute_nodes/${former.computeNodeId}`) : reply
  if (!reply.ok || !node.ok) {
    const { endSurvivors } = await import('./launcher/survivors.ts')
    await endSurvivors(directory.journal)
    return
  }
  const done = await recover(directory, former, {
    client,
    outputDir: options.outputDir,
    cwd: process.cwd(),
    stdio: reply.value.execution_config ?? {},
    usePendingFailed: reply.value.use_pending_failed ?? false,
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

type LoopContext = {
  controlPlane: ControlPlane
  capacity: Capacity
  options: RunOptions
  progress: Progress
  directory: NodeDirectory
  workflowId: number
  workflow: WireWorkflow
  nodeId: number
  startedAtMs: number
  endAtMs: number | undefined
}

/** Runs the loop, and again with a fresh launcher when that was killed: what it ran is told or runs again. */
async function runLoops(context: LoopContext): Promise<LoopEnd> {
  const { controlPlane, directory, workflowId, workflow, nodeId, options, progress } = context
  for (let tries = 1; ; tries++) {
    const end = await runLoop(context)
    if (end !== 'launcher_lost' || tries === LAUNCHERS_AT_MOST) return end
    const { lost } = await recover(
      directory,
      { workflowId, computeNodeId: nodeId },
      {
        client: controlPlane.client,
        outputDir: options.outputDir,
        cwd: process.cwd(),
        stdio: workflow.execution_config ?? {},
        usePendingFailed: workflow.use_pending_failed ?? false,
      },
    )
    progress.note(`The launcher of jobs was killed: ${lost} jobs run again`)
  }
}

async function runLoop(context: LoopContext): Promise<LoopEnd> {
  const { controlPlane, options, progress, directory, workflowId, workflow, nodeId } = context
  const settings = workflow.execution_config ?? {}
  const cwd = process.cwd()
  const ledger = createLedger(context.capacity)
  const facts = {
    apiUrl: controlPlane.apiUrl,
    outputDir: options.outputDir,
    runId: workflow.run_id,
    submissionDirectory: workflow.submission_directory,
  }

  function prepareJob(job: ClaimedJob, grant: Grant) {
    const stdio = stdioOf(job.name, settings)
    const attempt = attemptOf(job, {
      runId: workflow.run_id,
      computeNodeId: nodeId,
      cwd: job.options?.cwd ?? cwd,
      logs: logFiles(options.outputDir, stdio.mode, {
        workflowId,
        jobId: job.id,
        runId: workflow.run_id,
        attemptId: job.attempt_id,
      }),
      deleteLogsOnSuccess: stdio.deleteOnSuccess,
      usePendingFailed: workflow.use_pending_failed ?? false,
    })
    const argv: [string, ...string[]] = ['bash', '-c', shellText(job.command, job.invocation_script)]
    return { attempt, argv, env: jobEnvironment(job, grant.gpus, facts) }
  }

  const loop = createLoop({
    api: loopApi(controlPlane.client, workflowId, nodeId, options.controlPlane.kind === 'embedded'),
    openLauncher: callbacks => openLauncher({ journal: directory.journal, slots: ledger.total.slots, ...callbacks }),
    ledger,
    prepare: prepareJob,
    finalise,
    claim: {
      computeNodeId: nodeId,
      labels: options.labels,
      schedulerConfigId: options.schedulerConfigId,
      strictSchedulerMatch: options.strictSchedulerMatch,
      bySlots: options.capacity.slots !== undefined,
    },
    endAtMs: context.endAtMs,
    graceMs: GRACE_MS,
    lookMs: options.controlPlane.kind === 'embedded' ? LOOK_HERE_MS : LOOK_THERE_MS,
    offlineAtMostMs: workflow.compute_node_wait_for_healthy_database_minutes * 60_000,
    clock: Date.now,
    onChange: state => progress.update(snapshot(state, context)),
  })
  const release = handleSignals(loop, progress)
  try {
    return await loop.run()
  } finally {
    release()
  }
}

function snapshot(state: LoopState, { workflowId, workflow, startedAtMs }: LoopContext) {
  return {
    workflowId,
    name: workflow.name,
    counts: readCounts(state.summary?.jobs_by_status ?? {}),
    total: state.summary?.total_jobs ?? 0,
    finishedHere: state.finished,
    startedAtMs,
    running: state.running,
    draining: state.draining,
    offline: state.offline ? 'the control plane does not answer' : undefined,
  }
}

/** The control plane as the loop sees it. What may pass (no reply, overload) is no answer; any other refusal is thrown. */
function loopApi(client: Client, workflowId: number, nodeId: number, embedded: boolean): LoopApi {
  const again = { repeatable: true }
  // A fault of a control plane in this very process does not go away by waiting.
  const mayPass = ({ status }: Refusal): boolean =>
    status === undefined || status === 429 || status > 500 || (status === 500 && !embedded)
  const answered = <T>(reply: Reply<T>): T | undefined => {
    if (reply.ok) return reply.value
    if (mayPass(reply)) return undefined
    throw new ControlPlaneError(reply.message)
  }
  return {
    async exchange(request) {
      return answered(
        await client.request<ExchangeReply>('POST', `/workflows/${workflowId}/batch_complete_jobs`, request, again),
      )
    },
    async release(claims) {
      return answered(await client.request('POST', `/compute_nodes/${nodeId}/release`, { claims }, again)) !== undefined
    },
    async summary() {
      return answered(await client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
    },
  }
}

/** Ctrl-C lets what runs finish; a second one, or SIGTERM, ends it; one more ends it at once (scenarios.md S75). */
function handleSignals(loop: { drain(): void; stop(): void }, progress: Progress): () => void {
  let interrupts = 0
  const onInterrupt = (): void => {
    if (++interrupts === 1) loop.drain()
    else loop.stop()
    if (interrupts === 2) progress.note('Ending the running jobs; once more kills them at once')
  }
  const onTerminate = (): void => {
    interrupts = 2
    loop.stop()
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  return () => {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onTerminate)
  }
}
