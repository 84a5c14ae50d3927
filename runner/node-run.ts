import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import type { HandBackReason } from '../api/core/hand-back.ts'
import type { WorkflowOptions } from '../api/core/spec/options.ts'
import type { Actions } from './actions.ts'
import { type Attempt, attemptOf } from './attempt.ts'
import type { Capacity, Grant } from './capacity/ledger.ts'
import type { Client } from './client.ts'
import type { ExpandedFile } from './create-workflow.ts'
import { type SharedNode, shareNode } from './exec/beside-jobs.ts'
import { createFailures } from './failure/failures.ts'
import { createMemoryKeeper } from './free-memory.ts'
import { jobEnvironment, type RunFacts, shellText } from './job-environment.ts'
import { openLauncher } from './launcher/open.ts'
import type { LogFile, LogLevel } from './log-file.ts'
import { createLoop, type Loop, type LoopEnd, type LoopState } from './loop.ts'
import { createLoopApi } from './loop-api.ts'
import type { NodeDirectory } from './node-state.ts'
import type { Epochs } from './outbox/epoch.ts'
import { openOutbox } from './outbox/outbox.ts'
import { withOutbox } from './outbox/outbox-api.ts'
import { readopt } from './readopt.ts'
import { recover } from './recover.ts'
import type { RunOptions } from './run-options.ts'
import { readCounts } from './screen/status.ts'
import type { Progress } from './screen/types.ts'
import { logFiles, type StdioSettings, stdioOf } from './stdio.ts'
import type { ClaimedJob, CompletionEntry } from './wire.ts'

/** TERM, then KILL after this long (design.md, Defaults). */
const GRACE_MS = 30_000
/** How often the workflow is looked at while jobs run: as often as a display is redrawn, or as a server can bear. */
const LOOK_HERE_MS = 500
const LOOK_THERE_MS = 5_000
/** A launcher that dies is replaced; one that dies again and again is somebody's wish. */
const LAUNCHERS_AT_MOST = 20

export type WireWorkflow = {
  name: string
  run_id: number
  use_pending_failed?: boolean
  options?: WorkflowOptions
  execution_config?: StdioSettings & { limit_resources?: boolean }
  submission_directory?: string
  compute_node_wait_for_healthy_database_minutes: number
}

export type ControlPlane = {
  client: Client
  apiUrl: string
  /** Creates the workflow of an expanded file; returns its id. */
  create(spec: ExpandedFile): Promise<number>
  /** Which database answers; absent when it is in this process. */
  epochs?: Epochs
  close(): Promise<void>
}

/** What a run on this node needs, after the workflow was found and the node registered. */
export type NodeRun = {
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
  facts: RunFacts
  actions: Actions
  log: LogFile
}

/** Runs the loop, and again with a fresh launcher when that was killed: what it ran is told or runs again. */
export async function runOnNode(context: NodeRun): Promise<LoopEnd> {
  const { capacity, controlPlane, directory, progress } = context
  const signals = listenForSignals(progress)
  const note = (line: string): void => progress.note(line)
  const node = shareNode({ capacity, directory: directory.path, client: controlPlane.client, note })
  try {
    return await runLoops(context, node, signals)
  } finally {
    signals.release()
    await node.close()
  }
}

async function runLoops(context: NodeRun, node: SharedNode, signals: Signals): Promise<LoopEnd> {
  const { controlPlane, directory, workflowId, workflow, nodeId, options, progress } = context
  for (let tries = 1; ; tries++) {
    const end = await runLoop(context, node, signals)
    if (end !== 'launcher_lost') return end
    const { lost } = await recover(
      directory,
      { workflowId, computeNodeId: nodeId },
      {
        client: controlPlane.client,
        outputDir: options.outputDir,
        cwd: process.cwd(),
        stdio: workflow.execution_config ?? {},
        usePendingFailed: workflow.use_pending_failed ?? false,
        workflowOptions: workflow.options,
        leasesMayHaveLapsed: false,
      },
    )
    // Whoever ends all programs of a node at once ends the launcher, too.
    if (signals.endIsWanted()) return 'drained'
    if (tries === LAUNCHERS_AT_MOST) return end
    progress.note(`The launcher of jobs was killed: ${lost} jobs run again`)
  }
}

async function runLoop(context: NodeRun, node: SharedNode, signals: Signals): Promise<LoopEnd> {
  const { controlPlane, options, progress, directory, workflowId, workflow, nodeId, facts, actions, log } = context
  const settings = workflow.execution_config ?? {}
  const cwd = process.cwd()
  const { ledger } = node
  const failures = createFailures({
    client: controlPlane.client,
    facts,
    cwd,
    workflowOptions: workflow.options,
    note: line => progress.note(line),
  })

  /** The directory may be there on other nodes, or later. */
  function unfitFor({ id, name, options: own }: ClaimedJob): HandBackReason | undefined {
    if (own?.cwd === undefined || isDirectory(own.cwd)) return undefined
    progress.note(`Job ${id} (${name}) is handed back: its working directory does not exist here: ${own.cwd}`)
    return 'no_cwd'
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
      policy: failures.policyOf(job),
    })
    const argv: [string, ...string[]] = ['bash', '-c', shellText(job.command, job.invocation_script)]
    const env = Object.assign(
      jobEnvironment(job, grant.gpus, facts),
      node.lendWithin(job.id, grant),
      options.hooks?.environment(job, grant),
    )
    return { attempt, argv, env }
  }

  const embedded = options.controlPlane.kind === 'embedded'
  const keepMemorySmall = createMemoryKeeper(Date.now)
  const api = createLoopApi(controlPlane.client, workflowId, nodeId, embedded)
  const outbox = openRunOutbox(context)
  const reached = outbox === undefined ? api : withOutbox(api, { ...outbox, clock: Date.now })
  const loop = createLoop({
    api: failures.watch(reached),
    openLauncher: callbacks => openLauncher({ journal: directory.journal, slots: ledger.total.slots, ...callbacks }),
    ledger,
    unfitFor,
    prepare: prepareJob,
    readopt,
    finalise(attempt, end, reason) {
      const entry = failures.finalise(attempt, end, reason)
      node.jobEnded(attempt.jobId)
      options.hooks?.ended(attempt, entry)
      outbox?.outbox.add(entry)
      log.log(...logLineOf(attempt, entry))
      return entry
    },
    claim: {
      computeNodeId: nodeId,
      labels: options.labels,
      schedulerConfigId: options.schedulerConfigId,
      strictSchedulerMatch: options.strictSchedulerMatch,
      bySlots: options.capacity.slots !== undefined,
    },
    endAtMs: context.endAtMs,
    idleExitMs: options.idleExitSeconds === undefined ? undefined : options.idleExitSeconds * 1000,
    graceMs: GRACE_MS,
    lookMs: embedded ? LOOK_HERE_MS : LOOK_THERE_MS,
    offlineAtMostMs: workflow.compute_node_wait_for_healthy_database_minutes * 60_000,
    clock: Date.now,
    nodeIsShared: () => node.isShared(),
    onChange: state => {
      progress.update(snapshot(state, context, api.trouble))
      actions.look()
      keepMemorySmall()
    },
  })
  signals.direct(loop)
  node.direct(() => loop.moreRoom())
  options.hooks?.direct(loop)
  try {
    return await loop.run()
  } finally {
    await failures.close()
    outbox?.outbox.close()
  }
}

/** One that failed is worth a look; the others are told to whoever asks for all. */
function logLineOf(attempt: Attempt, entry: CompletionEntry): [LogLevel, string] {
  const what = `Job ${attempt.jobId}, attempt ${attempt.attemptId}: ${entry.status}`
  if (entry.status === 'completed') return ['debug', what]
  return ['info', `${what}, ${entry.failure_class ?? 'no class'}, return code ${entry.result.return_code}`]
}

/** Completions are kept on this node while the control plane is elsewhere (runner/outbox/outbox.ts). */
function openRunOutbox({ controlPlane, options, directory, workflowId, nodeId, progress }: NodeRun) {
  const { client, epochs } = controlPlane
  if (epochs === undefined) return undefined
  const outbox = openOutbox({
    directory: directory.outbox,
    header: {
      version: 1,
      host: hostname(),
      pid: process.pid,
      workflow_id: workflowId,
      compute_node_id: nodeId,
      epoch: epochs.current,
    },
    durability: options.durability,
    clock: Date.now,
    onTrouble: message => progress.note(`The outbox cannot be written: ${message}`),
  })
  return { client, epochs, outbox }
}

function snapshot(
  state: LoopState,
  { workflowId, workflow, startedAtMs }: NodeRun,
  trouble = 'the control plane does not answer',
) {
  return {
    workflowId,
    name: workflow.name,
    counts: readCounts(state.summary?.jobs_by_status ?? {}),
    total: state.summary?.total_jobs ?? 0,
    finishedHere: state.finished,
    startedAtMs,
    running: state.running,
    draining: state.draining,
    offline: state.offline ? trouble : undefined,
  }
}

type Signals = {
  /** Names the loop that the signals are for. */
  direct(loop: Loop): void
  endIsWanted(): boolean
  release(): void
}

/** Ctrl-C lets what runs finish; a second one, or SIGTERM, ends it; one more ends it at once (scenarios.md S75). */
function listenForSignals(progress: Progress): Signals {
  let loop: Loop | undefined
  let interrupts = 0
  const onInterrupt = (): void => {
    if (++interrupts === 1) loop?.drain()
    else loop?.stop()
    if (interrupts === 2) progress.note('Ending the running jobs; once more kills them at once')
  }
  const onTerminate = (): void => {
    interrupts = 2
    loop?.stop()
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  return {
    direct(next) {
      loop = next
    },
    endIsWanted: () => interrupts > 0,
    release() {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
    },
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
