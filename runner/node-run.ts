import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import type { HandBackReason } from '../api/core/hand-back.ts'
import { type Accounting, openAccounting } from './accounting.ts'
import { type Attempt, attemptOf } from './attempt.ts'
import { createBinding } from './capacity/binding.ts'
import type { Capacity, Grant } from './capacity/ledger.ts'
import { type SharedNode, shareNode } from './exec/beside-jobs.ts'
import { jobEndOf, returnCodesOf } from './execution-settings.ts'
import { createFailures } from './failure/failures.ts'
import { describeKernelKill } from './failure/memory-guard.ts'
import { createMemoryKeeper } from './free-memory.ts'
import { jobEnvironment, shellText } from './job-environment.ts'
import { openJobScratch } from './job-scratch.ts'
import { shellArgv } from './job-shell.ts'
import type { Execute } from './job-threads/finalisers.ts'
import { openLauncher } from './launcher/open.ts'
import type { LauncherEvents } from './launcher/types.ts'
import type { LogFile, LogLevel } from './log-file.ts'
import { createLoop, type Loop, type LoopEnd, type LoopState } from './loop.ts'
import type { ObservedApi } from './loop-api.ts'
import type { NodeDirectory } from './node-state.ts'
import { openOutbox } from './outbox/outbox.ts'
import { withOutbox } from './outbox/outbox-api.ts'
import { readopt } from './readopt.ts'
import type { ReadyNotices } from './ready-notices.ts'
import { recover } from './recover.ts'
import type { ControlPlane } from './run-control-plane.ts'
import type { RunEnd } from './run-end.ts'
import { openRunFinalisers } from './run-finalisers.ts'
import type { RunSettings } from './run-options.ts'
import { watchAllocation } from './schedulers/watch-allocation.ts'
import { readCounts } from './screen/status.ts'
import type { Progress } from './screen/types.ts'
import type { Servings } from './serving.ts'
import type { Steps } from './slurm/steps.ts'
import { logFiles, stdioOf } from './stdio.ts'
import type { TakenOver } from './take-over.ts'
import { describeTrial, openWorld } from './trial.ts'
import type { ClaimedJob, CompletionEntry } from './wire.ts'
import type { EndOf } from './work.ts'

/** How often the workflow is looked at while jobs run: as often as a display is redrawn, or as a server can bear. */
const LOOK_HERE_MS = 500
const LOOK_THERE_MS = 5_000
/**
 * For this part of a lease jobs go on without their runner, waiting for another one: with the time since the last renewal, a third, well
 * below what the lease holds, so that nobody else has them yet.
 */
const PATIENCE_OF_LEASE = 1 / 2
/** A launcher that dies is replaced; one that dies again and again is somebody's wish. */
const LAUNCHERS_AT_MOST = 20

/** What a run on this node needs, after its workflow was found and its node registered, or before any has come. */
export type NodeRun = {
  controlPlane: ControlPlane
  /** The control plane as the loop sees it. */
  api: ObservedApi
  servings: Servings
  /** What the display calls it. */
  title: { workflowId: number; name: string }
  /** It serves whatever comes. */
  stays: boolean
  /** Absent: nobody tells when work becomes ready. */
  notices: ReadyNotices | undefined
  offlineAtMostMs: number
  /** What a killed runner has left running; it is part of the first loop. */
  takenOver: TakenOver | undefined
  capacity: Capacity
  options: RunSettings
  progress: Progress
  directory: NodeDirectory
  startedAtMs: number
  /** When the runner has to be gone; absent = never. */
  end: RunEnd | undefined
  /** How jobs use the nodes of a Slurm allocation; absent elsewhere. */
  steps?: Steps
  log: LogFile
}

/** Runs the loop, and again with a fresh launcher when that was killed: what it ran is told or runs again. */
export async function runOnNode(context: NodeRun): Promise<LoopEnd> {
  const { capacity, controlPlane, directory, progress } = context
  const signals = listenForSignals(progress)
  const note = (line: string): void => progress.note(line)
  if (context.options.trial !== undefined) note(describeTrial(context.options.trial))
  const node = shareNode({ capacity, directory: directory.path, client: controlPlane.prompt, note })
  const { outputDir, capacity: wish, maxLogBytes } = context.options
  const bySlots = wish.slots !== undefined
  const accounting = openAccounting({ outputDir, label: basename(directory.path), bySlots, maxLogBytes, note })
  try {
    return await runLoops(context, node, signals, accounting)
  } finally {
    signals.release()
    await accounting.close()
    await node.close()
  }
}

async function runLoops(
  context: NodeRun,
  node: SharedNode,
  signals: Signals,
  accounting: Accounting,
): Promise<LoopEnd> {
  const { progress } = context
  for (let tries = 1; ; tries++) {
    const end = await runLoop(tries === 1 ? context : { ...context, takenOver: undefined }, node, signals, accounting)
    if (end !== 'launcher_lost') return end
    const lost = await recoverAll(context)
    // Whoever ends all programs of a node at once ends the launcher, too.
    if (signals.endIsWanted()) return 'drained'
    if (tries === LAUNCHERS_AT_MOST) return end
    progress.note(`The launcher of jobs was killed: ${lost} jobs run again`)
  }
}

/** After the launcher has died: what it ran is told or given back. Returns how many jobs run again. */
async function recoverAll({ servings, directory, controlPlane, options }: NodeRun): Promise<number> {
  let all = 0
  for (const { workflowId, workflow, nodeId } of servings.all()) {
    const { lost } = await recover(
      directory,
      { workflowId, computeNodeId: nodeId },
      {
        client: controlPlane.client,
        outputDir: options.outputDir,
        cwd: process.cwd(),
        stdio: workflow.execution_config ?? {},
        usePendingFailed: workflow.use_pending_failed ?? false,
        hashOutputs: options.hashOutputs,
        workflowOptions: workflow.options,
        leasesMayHaveLapsed: false,
      },
    )
    all += lost
  }
  return all
}

async function runLoop(context: NodeRun, node: SharedNode, signals: Signals, accounting: Accounting): Promise<LoopEnd> {
  const { controlPlane, api, servings, notices, options, progress, directory, log, takenOver } = context
  const cwd = process.cwd()
  const { ledger } = node
  const coresOf = createBinding(options.bindTo ?? 'none')
  const failures = createFailures({
    client: controlPlane.prompt,
    cwd,
    workflow: servings.of,
    note: line => progress.note(line),
  })

  const scratch =
    options.scratch === undefined || options.trial?.simulation !== undefined
      ? undefined
      : openJobScratch({
          parent: options.scratch,
          runnerDirectory: directory.path,
          takenOver,
          note: line => progress.note(line),
        })

  function endOf(job: ClaimedJob): ReturnType<EndOf> {
    const config = servings.of(job.workflow_id).workflow.execution_config ?? {}
    return { ...jobEndOf(config), ...context.end?.of(config) }
  }

  /** The directory may be there on other nodes, or later. */
  function unfitFor({ id, name, options: own }: ClaimedJob): HandBackReason | undefined {
    if (own?.cwd === undefined || isDirectory(own.cwd)) return undefined
    progress.note(`Job ${id} (${name}) is handed back: its working directory does not exist here: ${own.cwd}`)
    return 'no_cwd'
  }

  function prepareJob(job: ClaimedJob, grant: Grant) {
    const serving = servings.of(job.workflow_id)
    const { workflowId, workflow, nodeId, facts } = serving
    const settings = workflow.execution_config ?? {}
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
      hashOutputs: options.hashOutputs,
      returnCodes: returnCodesOf(settings),
      usePendingFailed: workflow.use_pending_failed ?? false,
      policy: failures.policyOf(job),
    })
    const text = shellText(job.command, job.invocation_script)
    // Another node may have its bash elsewhere.
    const argv = context.steps?.argvOf(job, attempt, ['bash', '-c', text]) ?? shellArgv(text, job.env?.PATH)
    const env = Object.assign(
      jobEnvironment(job, grant.gpus, facts),
      scratch?.variablesFor(job),
      node.lendWithin(job.id, grant),
      options.hooks?.environment(job, grant),
    )
    return world.job(
      { attempt, argv, env, cpus: coresOf(grant), job: accounting.watched(job, serving, attempt.logs) },
      job,
    )
  }

  let isShutOut = false
  function noteShutOut(): void {
    if (api.isShutOut() === isShutOut) return
    isShutOut = !isShutOut
    progress.note(
      isShutOut
        ? `The server refuses this runner: ${api.trouble}; what runs goes on, and its end is kept here`
        : 'The server takes this runner again',
    )
  }

  const embedded = options.controlPlane.kind === 'embedded'
  const keepMemorySmall = createMemoryKeeper(Date.now)
  const world = await openWorld(options.trial)
  const outbox = openRunOutbox(context)
  const reached = world.api(api)
  const kept = outbox === undefined ? reached : withOutbox(reached, { ...outbox, clock: Date.now })
  // Hooks belong to runs of one workflow.
  const nodeId = servings.all()[0]?.nodeId
  const watched =
    (nodeId === undefined ? undefined : options.hooks?.watch?.(kept, { client: controlPlane.prompt, nodeId })) ?? kept
  const finalisers = await openRunFinalisers({
    jobThreads: options.jobThreads,
    failures,
    capacity: context.capacity,
    disturb: execute => world.finaliser(signals.judge(execute)),
    endOf: context.steps?.endOf,
    onExit: ({ attempt }) => node.jobEnded(attempt.jobId),
    bookkeep({ ended: { attempt, end, job }, entry }) {
      const kill = describeKernelKill(job, end, entry.failure_class)
      if (kill !== undefined) progress.note(kill)
      options.hooks?.ended(attempt, entry)
      outbox?.outbox.add(entry)
      log.log(...logLineOf(attempt, entry))
    },
    note: line => progress.note(line),
  })
  if (takenOver !== undefined) accounting.adopt(takenOver, servings)
  const open = async (callbacks: LauncherEvents) =>
    takenOver?.adoption.open(callbacks) ??
    openLauncher({
      journal: directory.journal,
      slots: ledger.total.slots,
      memoryGroups: accounting.memoryGroups,
      patienceMs: canBeTakenOver(context) ? options.leaseSeconds * 1000 * PATIENCE_OF_LEASE : 0,
      ...callbacks,
    })
  const inWorld = world.launcher(open)
  const launcher = accounting.launcher(scratch?.launcher(inWorld) ?? inWorld)
  const loop = createLoop({
    api: failures.watch(watched),
    openLauncher: context.steps?.launcher(launcher) ?? launcher,
    ledger,
    unfitFor,
    prepare: prepareJob,
    takenOver,
    readopt,
    finalisers,
    claim: {
      computeNodeId: nodeId,
      leaseSeconds: options.leaseSeconds,
      labels: options.labels,
      schedulerConfigId: options.schedulerConfigId,
      strictSchedulerMatch: options.strictSchedulerMatch,
      bySlots: options.capacity.slots !== undefined,
      nodes: context.steps?.nodes,
    },
    end: context.end,
    endOf,
    stays: context.stays,
    notices,
    idleExitMs: options.idleExitSeconds === undefined ? undefined : options.idleExitSeconds * 1000,
    lookMs: embedded ? LOOK_HERE_MS : LOOK_THERE_MS,
    offlineAtMostMs: context.offlineAtMostMs,
    clock: Date.now,
    nodeIsShared: () => node.isShared(),
    onChange: state => {
      progress.update(snapshot(state, context, api.trouble))
      noteShutOut()
      for (const { actions } of servings.all()) actions.look()
      keepMemorySmall()
    },
  })
  signals.direct(loop)
  node.direct(() => loop.moreRoom())
  notices?.direct(() => loop.workMayBeReady())
  options.hooks?.direct(loop)
  try {
    return await loop.run()
  } finally {
    await failures.close()
    await scratch?.close()
    outbox?.outbox.close()
  }
}

/** What belongs to one command alone, or to parts that die with the runner, is ended with it. */
const canBeTakenOver = ({ options, steps }: NodeRun): boolean =>
  options.hooks === undefined && options.trial === undefined && steps === undefined

/** One that failed is worth a look; the others are told to whoever asks for all. */
function logLineOf(attempt: Attempt, entry: CompletionEntry): [LogLevel, string] {
  const what = `Job ${attempt.jobId}, attempt ${attempt.attemptId}: ${entry.status}`
  if (entry.status === 'completed') return ['debug', what]
  return ['info', `${what}, ${entry.failure_class ?? 'no class'}, return code ${entry.result.return_code}`]
}

/** Completions are kept on this node while the control plane is elsewhere (runner/outbox/outbox.ts). */
function openRunOutbox({ controlPlane, options, directory, title, servings, progress }: NodeRun) {
  const { prompt: client, epochs } = controlPlane
  if (epochs === undefined) return undefined
  const outbox = openOutbox({
    directory: directory.outbox,
    header: {
      version: 1,
      host: hostname(),
      pid: process.pid,
      workflow_id: title.workflowId,
      compute_node_id: servings.all()[0]?.nodeId ?? 0,
      epoch: epochs.current,
    },
    durability: options.durability,
    clock: Date.now,
    onTrouble: message => progress.note(`The outbox cannot be written: ${message}`),
  })
  return { client, epochs, outbox }
}

function snapshot(state: LoopState, { title, startedAtMs }: NodeRun, trouble = 'the control plane does not answer') {
  return {
    ...title,
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
  /** Tells jobs that the end of an allocation has killed from those that failed. */
  judge(execute: Execute): Execute
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
  const allocation = watchAllocation(() => loop?.drain())
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
    judge: allocation.judge,
    release() {
      allocation.release()
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
      process.off('SIGINT', letPass).once('SIGINT', letPass)
    },
  }
}

/** A wish to finish what runs that comes when nothing runs any more: it is fulfilled, and the exit code is to tell how the run went. */
const letPass = (): void => {}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** The moment at which what runs is ended; undefined = never. */
export function endOf({ timeLimitSeconds, endTimeMs }: RunSettings, startedAtMs: number): number | undefined {
  const byLimit = timeLimitSeconds === undefined ? undefined : startedAtMs + timeLimitSeconds * 1000
  if (byLimit === undefined || endTimeMs === undefined) return byLimit ?? endTimeMs
  return Math.min(byLimit, endTimeMs)
}
