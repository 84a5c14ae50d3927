import { attemptOf } from './attempt.ts'
import { type Capacity, createLedger, type Grant } from './capacity/ledger.ts'
import type { Client } from './client.ts'
import type { ExpandedFile } from './create-workflow.ts'
import { finalise } from './finalise.ts'
import { createMemoryKeeper } from './free-memory.ts'
import { jobEnvironment, shellText } from './job-environment.ts'
import { openLauncher } from './launcher/open.ts'
import { createLoop, type Loop, type LoopEnd, type LoopState } from './loop.ts'
import { createLoopApi } from './loop-api.ts'
import type { NodeDirectory } from './node-state.ts'
import { recover } from './recover.ts'
import type { RunOptions } from './run-options.ts'
import { readCounts } from './screen/status.ts'
import type { Progress } from './screen/types.ts'
import { logFiles, type StdioSettings, stdioOf } from './stdio.ts'
import type { ClaimedJob } from './wire.ts'

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
  execution_config?: StdioSettings & { limit_resources?: boolean }
  submission_directory?: string
  compute_node_wait_for_healthy_database_minutes: number
}

export type ControlPlane = {
  client: Client
  apiUrl: string
  /** Creates the workflow of an expanded file; returns its id. */
  create(spec: ExpandedFile): Promise<number>
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
}

/** Runs the loop, and again with a fresh launcher when that was killed: what it ran is told or runs again. */
export async function runOnNode(context: NodeRun): Promise<LoopEnd> {
  const signals = listenForSignals(context.progress)
  try {
    return await runLoops(context, signals)
  } finally {
    signals.release()
  }
}

async function runLoops(context: NodeRun, signals: Signals): Promise<LoopEnd> {
  const { controlPlane, directory, workflowId, workflow, nodeId, options, progress } = context
  for (let tries = 1; ; tries++) {
    const end = await runLoop(context, signals)
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
      },
    )
    // Whoever ends all programs of a node at once ends the launcher, too.
    if (signals.endIsWanted()) return 'drained'
    if (tries === LAUNCHERS_AT_MOST) return end
    progress.note(`The launcher of jobs was killed: ${lost} jobs run again`)
  }
}

async function runLoop(context: NodeRun, signals: Signals): Promise<LoopEnd> {
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

  const embedded = options.controlPlane.kind === 'embedded'
  const keepMemorySmall = createMemoryKeeper(Date.now)
  const api = createLoopApi(controlPlane.client, workflowId, nodeId, embedded)
  const loop = createLoop({
    api,
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
    lookMs: embedded ? LOOK_HERE_MS : LOOK_THERE_MS,
    offlineAtMostMs: workflow.compute_node_wait_for_healthy_database_minutes * 60_000,
    clock: Date.now,
    onChange: state => {
      progress.update(snapshot(state, context, api.trouble))
      keepMemorySmall()
    },
  })
  signals.direct(loop)
  return loop.run()
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
