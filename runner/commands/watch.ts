import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { amountFlag, countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlaneFlags } from '../control-plane.ts'
import type { Plan, Policy } from '../recovery/decide.ts'
import { applyPlan, parsePolicy, planFor, RECOVERY } from '../recovery/recover.ts'
import { doneCount } from '../screen/counts.ts'
import { createProgress } from '../screen/progress.ts'
import { renderPlan } from '../screen/recovery-plan.ts'
import { readCounts, renderStatus } from '../screen/status.ts'
import type { Progress } from '../screen/types.ts'
import { createWatchDuties, type WatchDuties } from '../watch-duties.ts'
import type { WorkflowSummary } from '../wire.ts'
import { formatOf, summaryOf, withControlPlane, workflowId } from './ask.ts'
import { lookUntil } from './look-until.ts'
import { ENDINGS, endingOf, parseWaiting, WAITING, waitForEnd } from './wait.ts'

const MAX_RETRIES = 3
const EVERY_SECONDS = 30
const NO_RUNNER = 'No runner works on this workflow: runner run ID starts one, and watch --run does'

export default defineVerb({
  about:
    'Show how a workflow goes on until its end, and see to it: requests of `allocate` and `pipe` are compared with the queue, made again and taken back as their rules say. With --recover, failed jobs run again at the end, a bounded number of times, as `recover` would make them. One process on a login node does; of several one acts, and another takes over.',
  args: {
    ...WORKFLOW,
    recover: { type: 'boolean', description: 'make failed jobs ready again at the end' },
    'max-retries': { type: 'string', valueHint: 'N', description: `recover at most N times (default: ${MAX_RETRIES})` },
    run: { type: 'boolean', description: 'run its jobs on this machine meanwhile' },
    every: {
      type: 'string',
      valueHint: 'SECONDS',
      description: `ask schedulers what waits and runs no more often than this (default: ${EVERY_SECONDS})`,
    },
    ...RECOVERY,
    ...WAITING,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['watch 3', 'watch 3 --recover --max-memory 64g --max-retries 2', 'watch 3 --run --recover'],
  exitCodes: ENDINGS,
  async run(args) {
    const format = formatOf(args.format)
    const policy = parsePolicy(args)
    const waiting = parseWaiting(args)
    const retries = args.recover ? (countFlag('--max-retries', args['max-retries'], 0) ?? MAX_RETRIES) : 0
    const progress = createProgress(process.stderr, process.env, Date.now)
    const duties = createWatchDuties({
      everyMs: (amountFlag('--every', args.every) ?? EVERY_SECONDS) * 1000,
      clock: Date.now,
      note: line => progress.note(line),
    })
    const watching: Watching = { flags: args, waiting, progress, duties, runHere: args.run === true }
    const recoveries: Plan[] = []
    let ended = await followToEnd(watching, args.workflow)
    while (endingOf(ended) === 1) {
      const plan = await recoverOnce(watching, ended.workflow_id, policy, retries)
      if (plan === 'none') break
      if (plan !== 'other') recoveries.push(plan)
      ended = await followToEnd(watching, String(ended.workflow_id))
    }
    if (ended.is_complete) await settle(watching, ended.workflow_id)
    progress.end()
    if (format === 'json') printJson({ ...ended, recoveries })
    else print(renderStatus({ ...ended, workflow_name: ended.name }, stdoutPaint()))
    return endingOf(ended)
  },
})

type Watching = {
  flags: ControlPlaneFlags
  waiting: { everyMs: number; untilMs: number }
  progress: Progress
  duties: WatchDuties
  runHere: boolean
}

/**
 * Recovers once and gives what was done. `none`: nothing is left to try. `other`: another watcher acts, or has recovered meanwhile, so
 * that the workflow goes on or this process is next.
 */
async function recoverOnce(
  { flags, waiting, progress, duties }: Watching,
  id: number,
  policy: Policy,
  retries: number,
): Promise<Plan | 'none' | 'other'> {
  if (retries === 0) return 'none'
  return withControlPlane(flags, async controlPlane => {
    if (!(await duties.acts(controlPlane, id))) {
      if (Date.now() >= waiting.untilMs) return 'none'
      await sleep(waiting.everyMs)
      return 'other'
    }
    const { is_complete } = await summaryOf(controlPlane, id, `watch workflow ${id}`)
    if (!is_complete) return 'other'
    if (duties.recoveries >= retries) return 'none'
    const plan = await planFor(controlPlane, id, policy)
    for (const line of renderPlan(id, plan, false).trimEnd().split('\n')) progress.note(line)
    if (plan.jobs.every(job => job.action === 'leave')) return 'none'
    await duties.countRecovery(controlPlane, id)
    await applyPlan(controlPlane, id, plan)
    return plan
  })
}

/** Gives back what waits in queues, and waits until nothing of this workflow is in one. */
async function settle({ flags, waiting, duties }: Watching, id: number): Promise<void> {
  await lookUntil(flags, waiting, async controlPlane =>
    (await duties.look(controlPlane, id, true)) === 0 ? true : undefined,
  )
  await withControlPlane(flags, controlPlane => duties.leave(controlPlane, id))
}

/** Shows every state until the end and sees to what is due. Says once when nobody is there to bring the end about. */
async function followToEnd(watching: Watching, workflow: string | undefined): Promise<WorkflowSummary> {
  const { flags, waiting, progress, duties, runHere } = watching
  const startedAtMs = Date.now()
  let doneBefore: number | undefined
  let warned = runHere
  let id: number | undefined
  let last: WorkflowSummary | undefined
  const show = (summary: WorkflowSummary, open: number) => {
    const counts = readCounts(summary.jobs_by_status)
    doneBefore ??= doneCount(counts)
    progress.update({
      workflowId: summary.workflow_id,
      name: summary.name,
      counts,
      total: summary.total_jobs,
      finishedHere: doneCount(counts) - doneBefore,
      startedAtMs,
      running: [],
    })
    if (warned || summary.is_complete || summary.active_compute_nodes > 0 || open > 0) return
    warned = true
    progress.note(NO_RUNNER)
  }
  if (runHere) {
    // The runner owns a local database while it runs, so it is given the id and left alone.
    const { workflow_id } = await waitForEnd(flags, workflow, { ...waiting, untilMs: 0 })
    await runJobs(flags, workflow_id)
  }
  const ended = await lookUntil(flags, runHere ? { ...waiting, untilMs: 0 } : waiting, async controlPlane => {
    id ??= await workflowId(controlPlane, workflow)
    const open = await duties.look(controlPlane, id)
    last = await summaryOf(controlPlane, id, `watch workflow ${id}`)
    show(last, open)
    return last.is_complete ? last : undefined
  })
  return ended ?? last!
}

/** Runs the jobs in a process of its own, whose progress is shown and whose result is read from the workflow. */
async function runJobs(flags: ControlPlaneFlags, id: number): Promise<void> {
  const options = (['url', 'output-dir', 'db', 'ca-cert'] as const).flatMap(name => {
    const value = flags[name]
    return value === undefined ? [] : [`--${name}`, value]
  })
  const child = spawn(process.execPath, [process.argv[1]!, 'run', String(id), ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await once(child, 'close')
}
