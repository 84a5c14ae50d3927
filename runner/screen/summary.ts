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
  const { failed, counts, workflowId } = summary
  const more = unsuccessfulCount(summary) - failed.length
  // What the stop itself has ended did not fail on its own: there is nothing to look for in its logs.
  const own = failed.filter(job => !(isStop(summary) && job.failureClass === 'allocation_end'))
  const parts = countParts(counts, paint).map(part => part.painted)
  return [
    headline(summary, paint),
    ...(allCompleted(counts) ? [] : [parts.join('  ')]),
    ...own.flatMap(job => ['', ...failedLines(job, paint, shown)]),
    ...(own.length > 0 && more > 0 ? ['', `… and ${formatCount(more)} more: runner results ${workflowId}`] : []),
    ...unrunnableLines(summary),
    ...nextStep(summary),
    `Logs and database: ${shown(summary.outputDir)}`,
    '',
  ].join('\n')
}

const isStop = ({ stoppedBy }: RunSummary): boolean => stoppedBy === 'interrupt' || stoppedBy === 'time_limit'

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

/** What to do about a run that is not at its end, and about jobs that failed. */
function nextStep(summary: RunSummary): string[] {
  const lines = stopLines(summary)
  if (unsuccessfulCount(summary) === 0 || summary.stoppedBy === 'canceled') return lines
  const jobs = isStop(summary) ? 'failed and ended jobs' : 'failed jobs'
  return [...lines, `--retry-failed runs the ${jobs} and what hangs below them again.`]
}

function stopLines({ counts, stoppedBy }: RunSummary): string[] {
  const left = counted(sumOf(counts, () => true) - doneCount(counts) - counts.disabled, 'job')
  switch (stoppedBy) {
    case 'interrupt':
      return [`Interrupted with ${left} left: the same command goes on.`]
    case 'time_limit':
      return [`The time limit ended the run with ${left} left: the same command goes on.`]
    case 'canceled':
      return ['The workflow was canceled.']
    case 'no_room':
      return [
        ...undecided(counts),
        ...(counts.ready > 0 ? [`${left} left, and no node can run what is ready: runner explain JOB says why.`] : []),
      ]
    case 'other_runners':
      return [`${left} left with other runners.`]
    case undefined:
      return []
  }
}

const undecided = ({ pending_failed: waiting }: RunSummary['counts']): string[] =>
  waiting === 0
    ? []
    : [`${counted(waiting, 'failed job')} left for you to decide: runner jobs put-back JOB, or runner jobs fail JOB.`]

const unsuccessfulCount = ({ counts }: RunSummary): number => counts.failed + counts.terminated + counts.pending_failed
