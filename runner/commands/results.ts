import { JOB_STATUSES } from '../../api/core/status.ts'
import { wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { formatBytes, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

type Result = {
  job_id: number
  job_name?: string
  run_id: number
  attempt_id: number
  status: string
  return_code: number
  failure_class?: string
  exec_time_minutes: number
  user_seconds?: number
  system_seconds?: number
  peak_memory_bytes?: number
}

const COLUMNS: readonly Column<Result>[] = [
  { title: 'JOB', value: row => row.job_id, align: 'right' },
  { title: 'NAME', value: row => row.job_name },
  { title: 'RUN', value: row => row.run_id, align: 'right' },
  { title: 'TRY', value: row => row.attempt_id, align: 'right' },
  { title: 'STATUS', value: row => row.status },
  { title: 'CODE', value: row => row.return_code, align: 'right' },
  { title: 'CLASS', value: row => row.failure_class },
  { title: 'TIME', value: row => formatSeconds(row.exec_time_minutes * 60), align: 'right' },
  { title: 'CPU', value: row => formatCpu(row), align: 'right' },
  { title: 'MEMORY', value: row => row.peak_memory_bytes && formatBytes(row.peak_memory_bytes), align: 'right' },
]

/** Absent where the launcher could not learn it: it is never guessed. */
const formatCpu = ({ user_seconds, system_seconds }: Result): string | undefined =>
  user_seconds === undefined ? undefined : formatSeconds(user_seconds + (system_seconds ?? 0))

export default defineVerb({
  about:
    "List the results of a workflow's jobs: how each ended, how long it took, what it used. Without an id: the newest workflow.",
  args: {
    id: { type: 'positional', required: false, valueHint: 'ID', description: 'id of the workflow' },
    status: { type: 'string', valueHint: 'STATUS', description: 'only results of this status, such as failed' },
    'all-runs': { type: 'boolean', description: 'every attempt instead of the latest of each job' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['results 3', 'results 3 --status failed --format json'],
  async run(args) {
    const format = formatOf(args.format)
    const status = wordFlag('--status', args.status, JOB_STATUSES)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.id)
      const filter = status === undefined ? '' : `&status=${status}`
      const path = `/results?workflow_id=${id}&all_runs=${args['all-runs'] === true}${filter}`
      const results = await listAll<Result>(
        controlPlane.client,
        path,
        `list results of workflow ${id}`,
        controlPlane.where,
      )
      if (format === 'json') printJsonList(results)
      else print(results.length === 0 ? 'No results.' : renderTable(COLUMNS, results, screenWidth()))
      return 0
    })
  },
})
