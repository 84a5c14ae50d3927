import { amountFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, WORKFLOW } from '../command-line/options.ts'
import { print, stdoutPaint } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { doneCount } from '../screen/counts.ts'
import { type FullScreen, openFullScreen } from '../screen/full-screen.ts'
import { createRateMeter } from '../screen/rate.ts'
import { readCounts } from '../screen/status.ts'
import { renderTop, type TopNode, type TopView } from '../screen/top.ts'
import { expectValue, summaryOf, withQuery, workflowId } from './ask.ts'
import { lookUntil } from './look-until.ts'

const INTERVAL_SECONDS = 1
/** More running jobs than a screen has lines. */
const MOST_JOBS = 100
const USUAL_SIZE = { columns: 80, rows: 24 }

type RunningJob = { id: number; name: string; start_time?: string }

export default defineVerb({
  about: 'Show a workflow at work: counts, rate, running jobs and nodes, until q or Ctrl-C. In a pipe: one picture.',
  args: {
    ...WORKFLOW,
    interval: {
      type: 'string',
      valueHint: 'SECONDS',
      description: `time between pictures (default: ${INTERVAL_SECONDS})`,
    },
    once: { type: 'boolean', description: 'one picture, then end' },
    ...CONTROL_PLANE,
  },
  examples: ['top', 'top 3 --interval 5', 'top 3 --once'],
  async run(args) {
    const everyMs = (amountFlag('--interval', args.interval) ?? INTERVAL_SECONDS) * 1000
    const look = createLook(args.workflow)
    if (args.once || !process.stdout.isTTY) {
      const view = await lookUntil(args, { everyMs, untilMs: 0 }, look)
      if (view !== undefined) print(renderTop(view, USUAL_SIZE, stdoutPaint()).join('\n'))
      return 0
    }
    let screen: FullScreen | undefined
    const quit = new AbortController()
    const looking = { everyMs, untilMs: Number.POSITIVE_INFINITY, signal: quit.signal }
    try {
      await lookUntil(args, looking, async controlPlane => {
        const view = await look(controlPlane)
        // Only now, so that trouble with the first look is told on the usual screen.
        screen ??= openFullScreen(process.stdout, process.stdin, () => quit.abort())
        screen.show(renderTop(view, screen.size(), stdoutPaint()))
        return undefined
      })
    } finally {
      screen?.close()
    }
    return 0
  },
})

/** A look at one workflow; the rate comes from the looks before. */
function createLook(workflow: string | undefined): (controlPlane: ControlPlane) => Promise<TopView> {
  const rate = createRateMeter()
  const startedAtMs = Date.now()
  let id: number | undefined
  return async controlPlane => {
    id ??= await workflowId(controlPlane, workflow)
    const { client, where } = controlPlane
    const doing = `watch workflow ${id}`
    const summary = await summaryOf(controlPlane, id, doing)
    const jobsPath = withQuery('/jobs', { workflow_id: id, status: 'running', limit: MOST_JOBS, sort_by: 'start_time' })
    const jobs = expectValue(await client.request<{ items: RunningJob[] }>('GET', jobsPath), doing, where)
    const nodesPath = withQuery('/compute_nodes', { workflow_id: id, is_active: true, limit: MOST_JOBS })
    const nodes = expectValue(await client.request<{ items: TopNode[] }>('GET', nodesPath), doing, where)
    const counts = readCounts(summary.jobs_by_status)
    const nowMs = Date.now()
    rate.record(nowMs, doneCount(counts))
    const running = jobs.items.map(job => ({
      jobId: job.id,
      name: job.name,
      startedAtMs: job.start_time === undefined ? nowMs : Date.parse(job.start_time),
    }))
    return {
      snapshot: {
        workflowId: id,
        name: summary.name,
        counts,
        total: summary.total_jobs,
        finishedHere: doneCount(counts),
        startedAtMs,
        running,
      },
      nodes: nodes.items,
      nowMs,
      perSecond: rate.perSecond(),
    }
  }
}
