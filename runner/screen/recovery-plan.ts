import type { Plan } from '../recovery/decide.ts'
import { counted } from './format.ts'
import { clean } from './text.ts'

/** More jobs than this are counted, not named: the JSON document names all. */
const NAMED = 20

/** What recovery does, or would do, and why. */
export function renderPlan(workflowId: number, { jobs, changes }: Plan, dryRun: boolean): string {
  if (jobs.length === 0) return `Workflow ${workflowId} has no failed jobs.\n`
  const again = jobs.filter(job => job.action === 'rerun').length
  const left = jobs.length - again
  const more = jobs.length - NAMED
  return [
    ...jobs
      .slice(0, NAMED)
      .map(
        job =>
          `${clean(job.name)} (job ${job.job_id}) ${job.action === 'rerun' ? 'runs again' : 'is left'}: ${clean(job.reason)}`,
      ),
    ...(more > 0 ? [`… and ${counted(more, 'job')} more`] : []),
    ...changes.map(({ name, memory, runtime, job_ids, other_jobs }) => {
      const parts = [
        ...(memory ? [`memory ${memory.from} to ${memory.to}`] : []),
        ...(runtime ? [`runtime ${runtime.from} to ${runtime.to}`] : []),
      ]
      const whose =
        other_jobs > 0 ? ` for ${counted(job_ids.length, 'job')}; ${counted(other_jobs, 'other')} keep theirs` : ''
      return `${clean(name)}: ${parts.join(', ')}${whose}`
    }),
    `Workflow ${workflowId}: ${counted(again, 'job')} ${dryRun ? 'would run again' : 'made ready to run again'}, ${left} left alone.`,
    ...(dryRun || again === 0 ? [] : [`A runner takes them: runner run ${workflowId}`]),
    '',
  ].join('\n')
}
