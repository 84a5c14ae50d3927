import type { Column } from '../screen/table.ts'
import type { PipeRun } from './wire.ts'

/** A line that says how far a run is. */
export function renderProgress(run: PipeRun): string {
  const { completed, failed, terminated, canceled } = run.members.by_status
  const ended = completed + failed + terminated + canceled
  const parts = [`${ended} of ${run.members.total} jobs ended`]
  if (failed + terminated > 0) parts.push(`${failed + terminated} failed`)
  if (canceled > 0) parts.push(`${canceled} canceled`)
  if (run.ejected > 0) parts.push(`${run.ejected} handed back`)
  if (run.misfits > 0) parts.push(`${run.misfits} need more than an element has`)
  parts.push(`${run.live_runners} runners`)
  return `Pipe run ${run.id} is ${run.state}: ${parts.join(', ')}${reasonOf(run)}`
}

/** What keeps a run from going on, or ended it; and what to do. */
function reasonOf(run: PipeRun): string {
  if (run.paused_reason !== undefined)
    return `; paused as ${run.paused_reason}: \`runner pipe resume ${run.id}\` once that is mended`
  if (run.unreadable.length > 0) return `; cannot be read: ${run.unreadable.join(', ')}`
  return run.reason === undefined ? '' : `; ${run.reason}`
}

/** What is left to somebody after a run has come to rest, one line each. */
export function renderLeft(run: PipeRun): string[] {
  if (run.is_over) return []
  const { blocked } = run.members.by_status
  const lines: [n: number, text: string][] = [
    [
      run.ejected,
      `handed back: \`runner jobs list ${run.workflow_id} --status pending_failed\` shows them, \`runner jobs put-back\` and \`runner jobs fail\` decide`,
    ],
    [run.misfits, `in need of more than an element has: \`runner run ${run.workflow_id}\` on a larger node takes them`],
    [blocked, 'waiting for other jobs'],
  ]
  return lines
    .filter(([n]) => n > 0)
    .map(([n, text]) => `Pipe run ${run.id} has ${n === 1 ? '1 job' : `${n} jobs`} ${text}`)
}

export const RUN_COLUMNS: readonly Column<PipeRun>[] = [
  { title: 'RUN', value: run => run.id, align: 'right' },
  { title: 'WORKFLOW', value: run => run.workflow_id, align: 'right' },
  { title: 'STATE', value: run => (run.paused_reason === undefined ? run.state : `${run.state}, paused`) },
  { title: 'SCHEDULER', value: run => run.scheduler },
  { title: 'FAMILY', value: run => run.key.family },
  { title: 'JOBS', value: run => run.members.total, align: 'right' },
  { title: 'COMPLETED', value: run => run.members.by_status.completed, align: 'right' },
  { title: 'FAILED', value: run => run.members.by_status.failed + run.members.by_status.terminated, align: 'right' },
  { title: 'HANDED BACK', value: run => run.ejected, align: 'right' },
  { title: 'RUNNERS', value: run => run.live_runners, align: 'right' },
  { title: 'DIRECTORY', value: run => run.directory },
]

export const SUBMISSION_COLUMNS: readonly Column<PipeRun['submissions'][number]>[] = [
  { title: 'NAME', value: one => one.name },
  { title: 'ID', value: one => one.scheduler_id },
  { title: 'STATE', value: one => one.state },
  { title: 'WIDTH', value: one => one.width, align: 'right' },
  { title: 'QUEUED', value: one => one.queued, align: 'right' },
  { title: 'RUNNING', value: one => one.running, align: 'right' },
  { title: 'WHY', value: one => one.reason },
]
