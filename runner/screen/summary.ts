import type { Paint } from './color.ts'
import { allCompleted, countParts, doneCount, sumOf } from './counts.ts'
import { counted, formatCount, formatSeconds } from './format.ts'
import { clean } from './text.ts'
import type { FailedJob, RunSummary } from './types.ts'

/**
 * What a run came to, for people: one line when all is well, else what failed, why, and where to look. `shown` writes a path the way
 * people would.
 */
export function renderSummary(summary: RunSummary, paint: Paint, shown: (path: string) => string): string {
  const { failed, counts } = summary
  const unsuccessful = unsuccessfulCount(summary)
  const more = unsuccessful - failed.length
  return [
    headline(summary, paint),
    ...(allCompleted(counts)
      ? []
      : [
          countParts(counts, paint)
            .map(part => part.painted)
            .join('  '),
        ]),
    ...failed.flatMap(job => ['', ...failedLines(job, paint)]),
    ...(failed.length > 0 && more > 0
      ? ['', `… and ${formatCount(more)} more: runner results ${summary.workflowId}`]
      : []),
    ...unrunnableLines(summary),
    ...nextStep(summary),
    `Logs and database: ${shown(summary.outputDir)}`,
    '',
  ].join('\n')
}

function headline(summary: RunSummary, paint: Paint): string {
  const { counts, wallSeconds } = summary
  const subject = `Workflow ${summary.workflowId} (${clean(summary.name)}), run ${summary.runId}`
  const total = sumOf(counts, () => true)
  const time = formatSeconds(wallSeconds)
  if (summary.alreadyFinished)
    return `${subject}: finished before, nothing to run. --new makes another workflow of the file.`
  if (allCompleted(counts)) return `${subject}: ${paint.good(`all ${counted(total, 'job')} completed`)} in ${time}`
  const completed = `${formatCount(counts.completed)} of ${counted(total, 'job')} completed`
  return `${subject}: ${paint.bad(completed)} in ${time}`
}

function failedLines(job: FailedJob, paint: Paint, shown: (path: string) => string): string[] {
  const code = job.returnCode === undefined ? '' : ` with return code ${job.returnCode}`
  const why = job.failureClass === undefined ? '' : ` (${job.failureClass})`
  return [
    paint.bad(`${clean(job.name)} (job ${job.jobId}) ${job.status}${code}${why}`),
    ...job.logPaths.map(path => `  ${shown(path)}`),
    ...job.tail.map(line => paint.dim(`  | ${clean(line)}`)),
  ]
}

function unrunnableLines({ unrunnable }: RunSummary): string[] {
  return unrunnable.map(({ jobId, name, reason }) => `${clean(name)} (job ${jobId}) cannot run here: ${clean(reason)}`)
}

/** What to do about a run that is not at its end. */
function nextStep(summary: RunSummary): string[] {
  const { counts, stoppedBy } = summary
  const left = sumOf(counts, () => true) - doneCount(counts) - counts.disabled
  switch (stoppedBy) {
    case 'interrupt':
      return [`Interrupted with ${counted(left, 'job')} left: the same command goes on.`]
    case 'time_limit':
      return [`The time limit ended the run with ${counted(left, 'job')} left: the same command goes on.`]
    case 'canceled':
      return ['The workflow was canceled.']
    case 'no_room':
      return [`${counted(left, 'job')} left that no node has room for: runner explain JOB says what is missing.`]
    case 'other_runners':
      return [`${counted(left, 'job')} left with other runners.`]
    case undefined:
      return unsuccessfulCount(summary) > 0
        ? ['--retry-failed runs the failed jobs and what hangs below them again.']
        : []
  }
}

const unsuccessfulCount = ({ counts }: RunSummary): number => counts.failed + counts.terminated + counts.pending_failed

/** The same for programs: one document in the wire's words. */
export function summaryDocument(summary: RunSummary) {
  return {
    workflow_id: summary.workflowId,
    run_id: summary.runId,
    name: summary.name,
    counts: summary.counts,
    wall_seconds: summary.wallSeconds,
    output_dir: summary.outputDir,
    stopped_by: summary.stoppedBy ?? null,
    failed: summary.failed.map(job => ({
      job_id: job.jobId,
      name: job.name,
      status: job.status,
      return_code: job.returnCode ?? null,
      failure_class: job.failureClass ?? null,
      log_paths: job.logPaths,
    })),
    unrunnable: summary.unrunnable.map(({ jobId, name, reason }) => ({ job_id: jobId, name, reason })),
  }
}
