import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { usageError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { counted } from '../screen/format.ts'
import { allocationOfLog, findProblems, type Problem } from '../slurm/log-problems.ts'
import { whyUnreadable } from '../text-file.ts'
import { formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

type Found = Problem & { file: string; allocation: string }
type Correlation = { slurm_job_id: string; job_id: number; job_name: string }

/** The end of a log tells why; a runaway one must not fill the memory. */
const READ_MOST_BYTES = 16 * 2 ** 20

export default defineVerb({
  about:
    "Look through the logs of a workflow's allocations for what went wrong, with the jobs that ran there. Exit code 1 when there are errors.",
  args: {
    ...WORKFLOW,
    'errors-only': { type: 'boolean', description: 'leave out warnings' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['slurm parse-logs 3', 'slurm parse-logs 3 --output-dir run1 --errors-only'],
  async run(args) {
    const format = formatOf(args.format)
    const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const logs = logsOf(outputDir, id)
      const found = logs.flatMap(log => findProblems(endOf(join(outputDir, log.file))).map(one => ({ ...log, ...one })))
      const shown = args['errors-only'] ? found.filter(({ severity }) => severity === 'error') : found
      const path = `/workflows/${id}/slurm_job_correlations`
      const ran = await listAll<Correlation>(client, path, `list what ran in the allocations of workflow ${id}`, where)
      const jobsOf = (allocation: string) => ran.filter(one => one.slurm_job_id === allocation)
      if (format === 'json')
        printJsonList(shown.map(one => ({ ...one, job_ids: jobsOf(one.allocation).map(job => job.job_id) })))
      else print(report(shown, logs.length, allocation => jobsOf(allocation).map(job => job.job_name)))
      return found.some(({ severity }) => severity === 'error') ? 1 : 0
    })
  },
})

function logsOf(outputDir: string, workflowId: number): { file: string; allocation: string }[] {
  try {
    return readdirSync(outputDir)
      .sort()
      .flatMap(file => {
        const allocation = allocationOfLog(file, workflowId)
        return allocation === undefined ? [] : [{ file, allocation }]
      })
  } catch (error) {
    throw usageError(`Cannot read the logs in ${outputDir}: ${whyUnreadable(error)}`)
  }
}

function endOf(path: string): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, READ_MOST_BYTES))
    const read = readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8', 0, read)
  } finally {
    closeSync(file)
  }
}

/** A job's name for each, and how many more there are. */
const NAMED = 3

function report(found: readonly Found[], logs: number, namesIn: (allocation: string) => string[]): string {
  if (found.length === 0) return `Nothing in ${counted(logs, 'log')}.`
  const lines: string[] = []
  for (const allocation of new Set(found.map(one => one.allocation))) {
    const names = namesIn(allocation)
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : ''
    const jobs = names.length === 0 ? '' : ` (${names.slice(0, NAMED).join(', ')}${more})`
    lines.push(`Allocation ${allocation}${jobs}:`)
    for (const one of found.filter(problem => problem.allocation === allocation)) {
      lines.push(`  ${one.severity} ${one.kind}: ${one.file}:${one.line}: ${one.text}`, `    ${one.advice}`)
    }
  }
  return lines.join('\n')
}
