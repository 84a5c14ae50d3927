import { hostname } from 'node:os'
import { join } from 'node:path'
import { openActions } from './actions.ts'
import { type AtNode, atNode } from './at-node.ts'
import { createLedger, type Free } from './capacity/ledger.ts'
import { must } from './client/must.ts'
import type { Client } from './client.ts'
import { findWorkflow } from './find-workflow.ts'
import { clearUpAfter, emptyOutbox } from './former-run.ts'
import { freeMemory } from './free-memory.ts'
import type { RunFacts } from './job-environment.ts'
import { openLogFile, withLog } from './log-file.ts'
import type { LoopEnd } from './loop.ts'
import { createLoopApi } from './loop-api.ts'
import { nodeFacts } from './node-facts.ts'
import { endOf, runOnNode } from './node-run.ts'
import { clearNodeDirectory, writeNodeState } from './node-state.ts'
import { createReadyNotices, type ReadyNotices } from './ready-notices.ts'
import { createRunEnd } from './run-end.ts'
import type { RunOptions, RunOutcome } from './run-options.ts'
import { summarize } from './run-summary.ts'
import { createCommandRunner } from './schedulers/command.ts'
import { withinAllocation } from './schedulers/within.ts'
import type { Progress, RunSummary } from './screen/types.ts'
import { onlyServing, readWorkflow, type Serving, type WireWorkflow } from './serving.ts'
import { describeSilence } from './silence.ts'
import { joinAllocation, type Membership } from './slurm/membership.ts'
import { createNodeScheduler, type NodeScheduler, type NodeSchedulerOptions } from './slurm/node-scheduler.ts'
import { createSteps } from './slurm/steps.ts'
import { keepAccounting } from './slurm/store-attempts.ts'
import { jobToken } from './tokens/job-token.ts'
import type { WorkflowSummary } from './wire.ts'

/**
 * Runs a workflow to its end on this node: opens the control plane, finds or creates the workflow, clears up after a killed runner,
 * and lets the loop work. Expected trouble is an outcome; only bugs and refused requests throw.
 */
export async function runWorkflow(asked: RunOptions, progress: Progress): Promise<RunOutcome> {
  const options = await withinAllocation(asked, progress)
  return atNode(options, progress, node => runOn(node, options, progress))
}

async function runOn(
  { controlPlane, directory, former, capacity, startedAtMs }: AtNode,
  options: RunOptions,
  progress: Progress,
): Promise<RunOutcome> {
  const { client } = controlPlane
  const { total } = createLedger(capacity)
  const found = await findWorkflow(controlPlane, options)
  if (found.kind === 'refused') return found
  const { workflowId } = found

  await emptyOutbox(directory, controlPlane, progress)
  const takenOver = await clearUpAfter(former, directory, controlPlane, {
    options,
    progress,
    // What is asked for anew has to stand still first.
    mayTakeOver: id => id === workflowId && options.known !== 'retry-failed' && options.hooks === undefined,
  })
  await prepare(client, workflowId, options)
  freeMemory()

  const workflow = readWorkflow(await must(client.request<WireWorkflow>('GET', `/workflows/${workflowId}`)))
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
  const { schedulerConfigId } = options
  const membership = await joinAllocation({ client, workflowId, schedulerConfigId, env: process.env })
  if (summary.is_complete) {
    await takenOver?.adoption.end()
    await membership?.leave()
    return finish('already_finished', false, [])
  }
  const endMs = endOf(options, startedAtMs)
  const config = workflow.execution_config ?? {}
  const end = endMs === undefined ? undefined : createRunEnd(endMs, startedAtMs)
  end?.note(config)
  const steps = createSteps({ config, env: process.env, killAtMs: end?.of(config).killAtMs, clock: Date.now })
  const allocated = membership && { ...membership.facts, num_nodes: steps?.nodes ?? 1, end_time: momentOf(endMs) }
  const nodeIs = { workflow_id: workflowId, ...nodeFacts(total, options), ...allocated }
  const node = await registerNode(client, nodeIs, takenOver?.nodes[0]?.computeNodeId)
  writeNodeState(directory, { nodes: [{ computeNodeId: node.id, workflowId }], cwd: process.cwd() })
  const unrunnable = await oversizedJobs(client, workflowId, total, options, steps?.nodes ?? 1)
  for (const job of unrunnable.slice(0, 3)) progress.note(`Job ${job.name} cannot run on this node: ${job.reason}`)
  if (unrunnable.length > 3) progress.note(`${unrunnable.length - 3} more jobs cannot run on this node`)

  const facts: RunFacts = {
    workflowId,
    apiUrl: controlPlane.apiUrl,
    outputDir: options.outputDir,
    runId: workflow.run_id,
    submissionDirectory: workflow.submission_directory,
    jobToken: await tokenForJobs(client, workflowId, options),
  }
  const log = openLogFile(logPathOf(facts, membership), options.logLevel, Date.now)
  const logged = withLog(progress, log)
  log.log('info', `Runs workflow ${workflowId} as node ${node.id}, process ${process.pid}`)
  const note = (line: string) => logged.note(line)
  const nodes = nodeSchedulerOf(options, { client, workflowId, nodeId: node.id, note })
  const actions = await openActions({ client, workflowId, nodeId: node.id, facts, note, nodes })
  // Whoever goes on has begun before; and the leases of what runs must not wait.
  if (takenOver === undefined) await actions.run('on_workflow_start', 'on_worker_start')
  const serving: Serving = { workflowId, workflow, nodeId: node.id, facts, actions }
  const api = createLoopApi(controlPlane.prompt, workflowId, node.id, options.controlPlane.kind === 'embedded')
  const why = await runOnNode({
    controlPlane,
    api,
    servings: onlyServing(serving),
    title: { workflowId, name: workflow.name },
    stays: false,
    notices: noticesOf(options, workflowId),
    offlineAtMostMs: workflow.compute_node_wait_for_healthy_database_minutes * 60_000,
    takenOver,
    log,
    capacity,
    options,
    progress: logged,
    directory,
    startedAtMs,
    end,
    steps,
  })
  log.log('info', `Ends: ${why}`)
  if (why === 'offline') {
    const message = describeSilence(api, {
      url: controlPlane.apiUrl,
      kept: directory.path,
      outputDir: options.outputDir,
    })
    return { kind: 'refused', exitCode: 3, message }
  }
  await actions.run('on_jobs_ready', 'on_jobs_complete', 'on_workflow_complete', 'on_worker_complete')
  await client.request('PUT', `/compute_nodes/${node.id}`, {
    ...node,
    ...(await serving.endAccounts?.()),
    is_active: false,
    duration_seconds: (Date.now() - startedAtMs) / 1000,
  })
  if (steps?.accounts !== undefined) {
    const asked = { client, where: controlPlane.apiUrl }
    const trouble = await keepAccounting(steps.accounts, workflowId, asked, createCommandRunner(process.env))
    if (trouble !== undefined) log.log('info', `Slurm's accounting is not kept: ${trouble}`)
  }
  await membership?.leave()
  clearNodeDirectory(directory)
  return finish(why, end !== undefined && Date.now() >= end.stopAtMs, unrunnable)
}

/** A control plane in this process knows its own user, whose jobs need not show anything. */
const tokenForJobs = (client: Client, workflowId: number, { controlPlane }: RunOptions): Promise<string | undefined> =>
  controlPlane.kind === 'server' ? jobToken(client, workflowId, controlPlane.address) : Promise.resolve(undefined)

/** A control plane in this process tells nothing: whoever completes a job here is this runner. */
const noticesOf = ({ controlPlane }: RunOptions, workflowId: number): ReadyNotices | undefined =>
  controlPlane.kind === 'server'
    ? createReadyNotices(controlPlane.address, process.env, `?workflow_id=${workflowId}`)
    : undefined

const logPathOf = ({ outputDir, workflowId, runId }: RunFacts, membership: Membership | undefined): string =>
  join(outputDir, membership?.logName ?? `job_runner_${hostname()}_wf${workflowId}_r${runId}.log`)

const momentOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString()

/** Compute nodes cannot reach a control plane that is in this process. */
const nodeSchedulerOf = (
  { controlPlane, outputDir }: RunOptions,
  run: Pick<NodeSchedulerOptions, 'client' | 'workflowId' | 'nodeId' | 'note'>,
): NodeScheduler | undefined =>
  controlPlane.kind === 'server'
    ? createNodeScheduler({ ...run, address: controlPlane.address, outputDir, env: process.env, clock: Date.now })
    : undefined

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

/** A runner that goes on with another one's jobs has that one's node: the claims are bound to it. */
const registerNode = (client: Client, facts: object, formerId: number | undefined): Promise<Node> =>
  must(
    formerId === undefined
      ? // Should the reply be lost, a node is left that never claims anything.
        client.request<Node>('POST', '/compute_nodes', facts, { repeatable: true })
      : client.request<Node>('PUT', `/compute_nodes/${formerId}`, facts),
  )

/** Jobs that need more than this whole node has. In queue-depth mode requirements are ignored. */
async function oversizedJobs(
  client: Client,
  workflowId: number,
  total: Free,
  options: RunOptions,
  nodes: number,
): Promise<RunSummary['unrunnable']> {
  if (options.capacity.slots !== undefined) return []
  const { cpus, memoryBytes, gpus } = total
  type Oversized = { job_id: number; name: string; reason: string }
  const { items } = await must(
    client.request<{ items: Oversized[] }>(
      'GET',
      `/workflows/${workflowId}/oversized_jobs?num_cpus=${cpus}&memory_bytes=${memoryBytes}&num_gpus=${gpus}&num_nodes=${nodes}`,
    ),
  )
  return items.map(item => ({ jobId: item.job_id, name: item.name, reason: item.reason }))
}
