import { resolve } from 'node:path'
import { JOB_STATUSES } from '../../api/core/status.ts'
import { usageError } from '../command-line/error.ts'
import { wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { findLogFiles } from '../logs/files.ts'
import { nearPath } from '../near-path.ts'
import { type Moments, phasesByRunner, phasesOf } from '../phases/phases.ts'
import { renderPhases } from '../phases/render.ts'
import { formatBytes, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, jobId, listAll, withControlPlane, withQuery, workflowId } from './ask.ts'

type Result = Moments & {
  compute_node_id: number
  id: number
  job_id: number
  workflow_id: number
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
  /** Ours, with --include-logs. */
  log_files?: string[]
}

/** What did not succeed by its own end; canceled jobs have no result. */
const FAILED: ReadonlySet<string> = new Set(['failed', 'terminated', 'pending_failed'])

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

const LOGS: Column<Result> = {
  title: 'LOGS',
  value: row => row.log_files?.map(path => nearPath(path, process.cwd())).join(' '),
}

/** Absent where the launcher could not learn it: it is never guessed. */
const formatCpu = ({ user_seconds, system_seconds }: Result): string | undefined =>
  user_seconds === undefined ? undefined : formatSeconds(user_seconds + (system_seconds ?? 0))

export default defineVerb({
  about:
    "List the results of a workflow's jobs: how each ended, how long it took, what it used. Without an id: the newest workflow.",
  args: {
    ...WORKFLOW,
    status: { type: 'string', valueHint: JOB_STATUSES.join('|'), description: 'only results of this status' },
    failed: { type: 'boolean', description: 'only results of attempts that did not succeed' },
    job: { type: 'string', valueHint: 'JOB', description: 'only results of this job' },
    'include-logs': { type: 'boolean', description: 'name the log files that lie in the output directory' },
    'all-runs': { type: 'boolean', description: 'every attempt instead of the latest of each job' },
    phases: { type: 'boolean', description: 'show where the time of each attempt and of each runner went' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: [
    'results 3',
    'results 3 --phases',
    'results 3 --failed --include-logs',
    'results 3 --all-runs --format json',
  ],
  async run(args) {
    const format = formatOf(args.format)
    const status = wordFlag('--status', args.status, JOB_STATUSES)
    if (status !== undefined && args.failed) throw usageError('Cannot use both --failed and --status: give one of them')
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const path = withQuery('/results', {
        workflow_id: id,
        all_runs: args['all-runs'] === true,
        status,
        job_id: args.job === undefined ? undefined : await jobId(controlPlane, args.job, String(id)),
      })
      const found = await listAll<Result>(client, path, `list results of workflow ${id}`, where)
      const wanted = args.failed ? found.filter(result => FAILED.has(result.status)) : found
      const results = args['include-logs'] ? withLogs(wanted, resolve(args['output-dir'] ?? OUTPUT_DIR)) : wanted
      if (args.phases) await printPhases(controlPlane, id, results, format)
      else if (format === 'json') printJsonList(results)
      else {
        const columns = args['include-logs'] ? [...COLUMNS, LOGS] : COLUMNS
        print(results.length === 0 ? 'No results.' : renderTable(columns, results, screenWidth()))
      }
      return 0
    })
  },
})

async function printPhases(
  { client, where }: ControlPlane,
  id: number,
  results: readonly Result[],
  format: ReturnType<typeof formatOf>,
): Promise<void> {
  type Node = { id: number; hostname: string }
  const nodes = await listAll<Node>(client, `/compute_nodes?workflow_id=${id}`, `list nodes of workflow ${id}`, where)
  const hosts = new Map(nodes.map(node => [node.id, node.hostname]))
  const runners = phasesByRunner(results).map(runner => ({ ...runner, hostname: hosts.get(runner.compute_node_id) }))
  const items = results.map(result => ({ ...result, phases: phasesOf(result) }))
  if (format === 'json') printJson({ items, count: items.length, runners })
  else print(results.length === 0 ? 'No results.' : renderPhases(results, runners, screenWidth()))
}

const withLogs = (results: readonly Result[], outputDir: string): Result[] =>
  results.map(result => {
    const { workflow_id, job_id, run_id, attempt_id } = result
    const attempt = { workflowId: workflow_id, jobId: job_id, runId: run_id, attemptId: attempt_id }
    return { ...result, log_files: findLogFiles(outputDir, attempt).map(file => file.path) }
  })
