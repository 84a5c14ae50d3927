import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isComplete, isJobStatus } from '../../api/core/status.ts'
import { cannotRun, usageError } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, IN_WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { findLogFiles, type LogFile, type LoggedAttempt } from '../logs/files.ts'
import { copyFrom, startOfTail } from '../logs/tail.ts'
import { nearPath } from '../near-path.ts'
import { expectValue, formatOf, jobId, listAll, summaryOf, withControlPlane } from './ask.ts'
import { lookUntil } from './look-until.ts'

type Job = { id: number; name: string; status: string; workflow_id: number; attempt_id: number }
type Result = { run_id: number; attempt_id: number }

const FOLLOW_MS = 300
const LOOK_MS = 2_000

export default defineVerb({
  about:
    'Show what a job has printed, from the log files in the output directory. -f goes on as long as the job runs. Without an attempt: the latest.',
  args: {
    job: { type: 'positional', required: true, valueHint: 'JOB', description: 'id or name of the job' },
    ...IN_WORKFLOW,
    follow: { type: 'boolean', alias: 'f', description: 'go on until the job has ended' },
    tail: { type: 'string', alias: 'n', valueHint: 'N', description: 'only the last N lines' },
    stdout: { type: 'boolean', description: 'only standard output' },
    stderr: { type: 'boolean', description: 'only standard error' },
    attempt: { type: 'string', valueHint: 'N', description: 'this attempt instead of the latest' },
    run: { type: 'string', valueHint: 'N', description: 'the attempt of this run' },
    paths: { type: 'boolean', description: 'only the names of the files' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['logs 17', 'logs solve --workflow 3 -f', 'logs 17 --stderr -n 20'],
  async run(args) {
    const format = formatOf(args.format)
    const lines = countFlag('--tail', args.tail, 0)
    const chosen = {
      runId: countFlag('--run', args.run, 0),
      attemptId: countFlag('--attempt', args.attempt, 1),
    }
    if (args.stdout && args.stderr)
      throw usageError('Cannot use both --stdout and --stderr: without them both are shown')
    const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
    const { job, attempts } = await withControlPlane(args, async controlPlane => {
      const job = await findJob(controlPlane, await jobId(controlPlane, args.job, args.workflow))
      return { job, attempts: await attemptsOf(controlPlane, job, chosen) }
    })
    const wanted = (file: LogFile) =>
      !(args.stdout && file.kind === 'stderr') && !(args.stderr && file.kind === 'stdout')
    const find = () =>
      attempts.map(attempt => findLogFiles(outputDir, attempt).filter(wanted)).find(found => found.length > 0) ?? []
    const files = find()
    if (files.length === 0 && !(args.follow && !hasEnded(job))) {
      throw cannotRun(
        `Cannot find log files of job ${job.id} (${job.name}) in ${nearPath(outputDir, process.cwd())}: --output-dir names another directory`,
      )
    }
    if (format === 'json') printJson({ job_id: job.id, name: job.name, status: job.status, files })
    else if (args.paths) print(files.map(file => nearPath(file.path, process.cwd())).join('\n'))
    else {
      const shown: Shown = { ends: new Map() }
      show(files, shown, lines)
      if (args.follow) await follow(find, shown, lines, () => jobHasEnded(args, job.id))
    }
    return 0
  },
})

async function findJob({ client, where }: ControlPlane, id: number): Promise<Job> {
  return expectValue(await client.request<Job>('GET', `/jobs/${id}`), `show the logs of job ${id}`, where)
}

const hasEnded = ({ status }: Job): boolean => isJobStatus(status) && isComplete(status)

/** The attempts whose files to look for, the likeliest first: what runs now or ran last, then those with results, newest first. */
async function attemptsOf(
  controlPlane: ControlPlane,
  job: Job,
  chosen: { runId?: number; attemptId?: number },
): Promise<LoggedAttempt[]> {
  const { client, where } = controlPlane
  const doing = `show the logs of job ${job.id}`
  const { run_id } = await summaryOf(controlPlane, job.workflow_id, doing)
  const path = `/results?workflow_id=${job.workflow_id}&job_id=${job.id}&all_runs=true`
  const results = await listAll<Result>(client, path, doing, where)
  const all = [{ run_id, attempt_id: job.attempt_id }, ...results.toReversed()]
  return all
    .map(({ run_id: runId, attempt_id: attemptId }) => ({
      workflowId: job.workflow_id,
      jobId: job.id,
      runId,
      attemptId,
    }))
    .filter(({ runId }) => chosen.runId === undefined || runId === chosen.runId)
    .filter(({ attemptId }) => chosen.attemptId === undefined || attemptId === chosen.attemptId)
}

/** How far each file was written, and which one last. */
type Shown = { ends: Map<string, number>; last?: string }

/** Writes what is new in the files. As soon as it comes from more than one, each part has the name of its file before it. */
function show(files: readonly LogFile[], shown: Shown, lines: number | undefined): void {
  const news = files.filter(file => file.bytes > (shown.ends.get(file.path) ?? 0))
  for (const { path } of news) {
    const isOther = path !== shown.last && (news.length > 1 || shown.last !== undefined)
    if (isOther) process.stdout.write(`==> ${nearPath(path, process.cwd())} <==\n`)
    const from = shown.ends.get(path) ?? (lines === undefined ? 0 : startOfTail(path, lines))
    const end = copyFrom(path, from, bytes => void process.stdout.write(bytes))
    shown.ends.set(path, end)
    shown.last = path
  }
}

async function follow(
  find: () => LogFile[],
  shown: Shown,
  lines: number | undefined,
  ended: () => Promise<boolean>,
): Promise<void> {
  let reading = true
  process.stdout.once('error', () => {
    reading = false
  })
  let lookedAt = 0
  for (let over = false; reading && !over; ) {
    if (Date.now() - lookedAt >= LOOK_MS) {
      // First the status, then the files: what a job wrote before its end is shown.
      over = await ended()
      lookedAt = Date.now()
    }
    show(find(), shown, lines)
    if (!over) await sleep(FOLLOW_MS)
  }
}

async function jobHasEnded(flags: Parameters<typeof lookUntil>[0], id: number): Promise<boolean> {
  const job = await lookUntil(flags, { everyMs: LOOK_MS, untilMs: 0 }, controlPlane => findJob(controlPlane, id))
  return job === undefined || hasEnded(job)
}
