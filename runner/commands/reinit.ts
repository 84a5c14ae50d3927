import { isComplete, isJobStatus } from '../../api/core/status.ts'
import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { modifiedSeconds } from '../recovery/disk.ts'
import {
  changedFiles,
  concernedJobs,
  type FileChange,
  type FileLink,
  type KnownFile,
} from '../recovery/input-changes.ts'
import { counted } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { expectValue, formatOf, listAll, summaryOf, withControlPlane, workflowId } from './ask.ts'
import { directoryOf } from './init.ts'

type Job = { id: number; name: string; status: string }
type Again = { job_id: number; name: string; reason: string }

const COLUMNS: readonly Column<Again>[] = [
  { title: 'JOB', value: row => row.job_id, align: 'right' },
  { title: 'NAME', value: row => row.name },
  { title: 'WHY', value: row => row.reason },
]

export default defineVerb({
  about:
    'Make ready again what changed inputs concern: jobs that read a file that has changed, whose output is gone, or whose data is another, and all below them.',
  args: {
    ...NAMED_WORKFLOW,
    'dry-run': { type: 'boolean', description: 'only show which jobs would run again, and why' },
    force: { type: 'boolean', description: 'also while jobs are claimed' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['workflows reinit 3 --dry-run', 'workflows reinit 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const { changes, again } = await findChanges(controlPlane, id)
      if (!args['dry-run']) await apply(controlPlane, id, changes, again, args.force === true)
      if (format === 'json') printJson({ workflow_id: id, dry_run: args['dry-run'] === true, jobs: again })
      else {
        const rest = `${counted(again.length, 'job')} ${args['dry-run'] ? 'would run' : 'and what hangs below run'} again.`
        print(`${again.length === 0 ? '' : renderTable(COLUMNS, again, screenWidth())}Workflow ${id}: ${rest}`)
      }
      return 0
    })
  },
})

async function findChanges(
  { client, where }: ControlPlane,
  id: number,
): Promise<{ changes: FileChange[]; again: Again[] }> {
  const doing = `look for changes of workflow ${id}`
  const base = await directoryOf(client, id, doing, where)
  const files = await listAll<KnownFile>(client, `/files?workflow_id=${id}`, doing, where)
  const links = await listAll<FileLink>(client, `/workflows/${id}/job_file_relationships`, doing, where)
  const list = await listAll<Job>(client, `/jobs?workflow_id=${id}`, doing, where)
  const jobs = new Map(list.map(job => [job.id, job]))
  const changes = changedFiles(files, path => modifiedSeconds(path, base))
  const concerned = concernedJobs(changes, links, jobId => hasEnded(jobs.get(jobId)))
  const again = concerned.map(({ jobId, why }) => ({ job_id: jobId, name: jobs.get(jobId)!.name, reason: why }))
  const path = `/workflows/${id}/process_changed_job_inputs?dry_run=true`
  const { reinitialized_jobs } = expectValue(
    await client.request<{ reinitialized_jobs: string[] }>('POST', path, undefined, { repeatable: true }),
    doing,
    where,
  )
  const named = new Set(reinitialized_jobs)
  const known = new Set(again.map(job => job.job_id))
  const byData = list.filter(job => named.has(job.name) && !known.has(job.id))
  return {
    changes,
    again: [...again, ...byData.map(job => ({ job_id: job.id, name: job.name, reason: 'its inputs are others' }))],
  }
}

const hasEnded = (job: Job | undefined): boolean =>
  job !== undefined && isJobStatus(job.status) && isComplete(job.status)

/** A new run: its id is raised first, then everything that has to run again is opened, then what is ready becomes so. */
async function apply(
  controlPlane: ControlPlane,
  id: number,
  changes: readonly FileChange[],
  again: readonly Again[],
  force: boolean,
): Promise<void> {
  const { client, where } = controlPlane
  const doing = `reinitialise workflow ${id}`
  const ask = async <T>(method: 'PUT' | 'POST', path: string, body?: unknown): Promise<T> =>
    expectValue(await client.request<T>(method, path, body), doing, where)
  await ask('POST', `/workflows/${id}/reset_status?force=${force}`)
  const summary = await summaryOf(controlPlane, id, doing)
  for (const { file, seconds } of changes) await ask('PUT', `/files/${file.id}`, { ...file, st_mtime: seconds })
  for (const { job_id } of again)
    await ask('PUT', `/jobs/${job_id}/manage_status_change/uninitialized/${summary.run_id}`)
  await ask('POST', `/workflows/${id}/process_changed_job_inputs?dry_run=false`)
  await ask('POST', `/workflows/${id}/initialize_jobs?only_uninitialized=true`)
}
