import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { countFlag } from '../command-line/flags.ts'
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
import type { WorkflowSummary } from '../wire.ts'
import { formatOf, withControlPlane } from './ask.ts'
import { ENDINGS, endingOf, parseWaiting, WAITING, waitForEnd } from './wait.ts'

const MAX_RETRIES = 3
const NO_RUNNER = 'No runner works on this workflow: runner run ID starts one, and watch --run does'

export default defineVerb({
  about:
    'Show how a workflow goes on until its end. With --recover, failed jobs run again then, a bounded number of times, as `recover` would make them.',
  args: {
    ...WORKFLOW,
    recover: { type: 'boolean', description: 'make failed jobs ready again at the end' },
    'max-retries': { type: 'string', valueHint: 'N', description: `recover at most N times (default: ${MAX_RETRIES})` },
    run: { type: 'boolean', description: 'run its jobs on this machine meanwhile' },
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
    const recoveries: Plan[] = []
    let ended = await followToEnd(args, args.workflow, waiting, progress, args.run === true)
    while (recoveries.length < retries && endingOf(ended) === 1) {
      const plan = await recoverOnce(args, ended.workflow_id, policy)
      for (const line of renderPlan(ended.workflow_id, plan, false).trimEnd().split('\n')) progress.note(line)
      if (plan.jobs.every(job => job.action === 'leave')) break
      recoveries.push(plan)
      ended = await followToEnd(args, String(ended.workflow_id), waiting, progress, args.run === true)
    }
    progress.end()
    if (format === 'json') printJson({ ...ended, recoveries })
    else print(renderStatus({ ...ended, workflow_name: ended.name }, stdoutPaint()))
    return endingOf(ended)
  },
})

function recoverOnce(flags: ControlPlaneFlags, id: number, policy: Policy): Promise<Plan> {
  return withControlPlane(flags, async controlPlane => {
    const plan = await planFor(controlPlane, id, policy)
    await applyPlan(controlPlane, id, plan)
    return plan
  })
}

/** Shows every state until the end. Says once when nobody is there to bring it about. */
async function followToEnd(
  flags: ControlPlaneFlags,
  workflow: string | undefined,
  waiting: { everyMs: number; untilMs: number },
  progress: Progress,
  runHere: boolean,
): Promise<WorkflowSummary> {
  const startedAtMs = Date.now()
  let doneBefore: number | undefined
  let warned = runHere
  const show = (summary: WorkflowSummary) => {
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
    if (warned || summary.is_complete || summary.active_compute_nodes > 0) return
    warned = true
    progress.note(NO_RUNNER)
  }
  if (runHere) {
    // The runner owns a local database while it runs, so it is given the id and left alone.
    const { workflow_id } = await waitForEnd(flags, workflow, { ...waiting, untilMs: 0 })
    await runJobs(flags, workflow_id)
    return waitForEnd(flags, String(workflow_id), { ...waiting, untilMs: 0 }, show)
  }
  return waitForEnd(flags, workflow, waiting, show)
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
