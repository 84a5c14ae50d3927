import { hostname } from 'node:os'
import { join } from 'node:path'
import { type AtNode, atNode, type Refused } from '../at-node.ts'
import { createLedger } from '../capacity/ledger.ts'
import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import { clearUpAfter, emptyOutbox } from '../former-run.ts'
import { openLogFile, withLog } from '../log-file.ts'
import type { LoopEnd } from '../loop.ts'
import { type NodeFacts, nodeFacts } from '../node-facts.ts'
import { endOf, runOnNode } from '../node-run.ts'
import { clearNodeDirectory, writeNodeState } from '../node-state.ts'
import { createReadyNotices } from '../ready-notices.ts'
import { createRunEnd } from '../run-end.ts'
import { withinAllocation } from '../schedulers/within.ts'
import type { Progress } from '../screen/types.ts'
import type { WireWorkflow } from '../serving.ts'
import { describeSilence } from '../silence.ts'
import type { TakenOver } from '../take-over.ts'
import type { WorkflowSummary } from '../wire.ts'
import { checkWanted } from './check-wanted.ts'
import { createManyApi, type ManyApi } from './many-api.ts'
import { describeNoSteps } from './no-steps.ts'
import type { StartOptions, Wanted } from './options.ts'
import { openServedWorkflows, type ServedWorkflows } from './served.ts'

/** What a runner did that served many workflows. */
export type Served = {
  kind: 'done'
  end: LoopEnd
  /** Jobs that ended here, and workflows they were of. */
  finished: number
  workflows: number
  wallSeconds: number
  /** The workflows that were named, together; absent when none were. */
  summary: WorkflowSummary | undefined
}

/** Without a workflow that says otherwise: how long a runner bears with a server that does not answer. */
const OFFLINE_AT_MOST_MS = 20 * 60_000

/** Serves workflows of a server until they are complete, nothing comes any more, or somebody ends it. */
export async function startRunner(asked: StartOptions, progress: Progress): Promise<Served | Refused> {
  const options = await withinAllocation(asked, progress)
  return atNode(options, progress, node => serve(node, options, progress))
}

async function serve(
  { controlPlane, directory, former, capacity, startedAtMs }: AtNode,
  options: StartOptions,
  progress: Progress,
): Promise<Served | Refused> {
  const { client } = controlPlane
  const { wanted, outputDir } = options
  const { address } = options.controlPlane
  const refusal = await checkWanted(client, wanted, address.baseUrl)
  if (refusal !== undefined) return { kind: 'refused', exitCode: 3, message: refusal }
  await emptyOutbox(directory, controlPlane, progress)
  const takenOver = await clearUpAfter(former, directory, controlPlane, { options, progress, mayTakeOver: () => true })

  const log = openLogFile(join(outputDir, `job_runner_${hostname()}.log`), options.logLevel, Date.now)
  const logged = withLog(progress, log)
  const endMs = endOf(options, startedAtMs)
  const end = endMs === undefined ? undefined : createRunEnd(endMs, startedAtMs)
  const served = openServedWorkflows({
    client: controlPlane.prompt,
    proof: address,
    apiUrl: controlPlane.apiUrl,
    outputDir,
    note: line => logged.note(line),
    onOpen(id, { execution_config: config = {} }) {
      end?.note(config)
      const missing = describeNoSteps(id, config, process.env)
      if (missing !== undefined) logged.note(missing)
    },
    onChange: nodes => writeNodeState(directory, { nodes, cwd: process.cwd() }),
    clock: Date.now,
  })
  if (takenOver === undefined) writeNodeState(directory, { nodes: [], cwd: process.cwd() })
  const node = nodeFacts(createLedger(capacity).total, options)
  const api = createManyApi({ client: controlPlane.prompt, wanted, node, served, leaseSeconds: options.leaseSeconds })
  if (takenOver !== undefined) await goOn(takenOver, { client, node, served, api })
  log.log('info', `Serves ${describeWanted(wanted)} of ${address.baseUrl}, process ${process.pid}`)
  let finished = 0
  const why = await runOnNode({
    controlPlane,
    api,
    servings: served,
    title: { workflowId: 0, name: describeWanted(wanted) },
    stays: wanted.workflowIds === undefined,
    notices: createReadyNotices(address, process.env, queryOf(wanted)),
    offlineAtMostMs: OFFLINE_AT_MOST_MS,
    takenOver,
    capacity,
    options,
    progress: {
      ...logged,
      update(snapshot) {
        finished = snapshot.finishedHere
        logged.update(snapshot)
      },
    },
    directory,
    startedAtMs,
    end,
    log,
  })
  log.log('info', `Ends: ${why}`)
  if (why === 'offline') {
    const message = describeSilence(api, { url: address.baseUrl, kept: directory.path, outputDir })
    return { kind: 'refused', exitCode: 3, message }
  }
  const summary = wanted.workflowIds === undefined ? undefined : await api.summary()
  await served.close()
  clearNodeDirectory(directory)
  const wallSeconds = (Date.now() - startedAtMs) / 1000
  return { kind: 'done', end: why, finished, workflows: served.count, wallSeconds, summary }
}

/** Serves again what the former runner served, under its nodes, as far as jobs of it still run. */
async function goOn(
  { jobs, nodes }: TakenOver,
  { client, node, served, api }: { client: Client; node: NodeFacts; served: ServedWorkflows; api: ManyApi },
): Promise<void> {
  for (const { workflowId: id, computeNodeId: compute_node_id } of nodes) {
    const workflow = await must(client.request<WireWorkflow>('GET', `/workflows/${id}`))
    await must(client.request('PUT', `/compute_nodes/${compute_node_id}`, { workflow_id: id, ...node }))
    await served.open({ ...workflow, id, compute_node_id }, { isBack: true })
  }
  api.goOn(jobs.map(({ job }) => ({ ...job, compute_node_id: served.of(job.workflow_id).nodeId })))
}

/** The stream that tells of ready work knows one workflow, or a user and a project. */
function queryOf({ workflowIds, user, project }: Wanted): string {
  const query = new URLSearchParams()
  if (workflowIds?.length === 1) query.set('workflow_id', String(workflowIds[0]))
  if (user !== undefined) query.set('user', user)
  if (project !== undefined) query.set('project', project)
  return query.size === 0 ? '' : `?${query}`
}

export function describeWanted({ workflowIds, user, project }: Wanted): string {
  const what = workflowIds === undefined ? 'all workflows' : `workflows ${workflowIds.join(', ')}`
  return [
    what,
    ...(user === undefined ? [] : [`of ${user}`]),
    ...(project === undefined ? [] : [`in ${project}`]),
  ].join(' ')
}
