import { CONTROL_PLANE, FORMAT, IN_WORKFLOW } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { showRows } from '../nouns/show.ts'
import { formatBytes, formatSeconds } from '../screen/format.ts'
import type { Column } from '../screen/table.ts'
import { formatOf, jobId, listAll, withControlPlane } from './ask.ts'

type Row = Record<string, unknown>

const bytes = (value: unknown) => (typeof value === 'number' ? formatBytes(value) : undefined)
const seconds = (value: unknown) => (typeof value === 'number' ? formatSeconds(value) : undefined)

const COLUMNS: readonly (string | Column<Row>)[] = [
  'run_id',
  'attempt_id',
  'status',
  'failure_class',
  'return_code',
  { title: 'USED', value: row => bytes(row.peak_memory_bytes), align: 'right' },
  { title: 'MEMORY', value: row => bytes(row.memory_bytes), align: 'right' },
  { title: 'NEXT', value: row => bytes(row.next_memory_bytes), align: 'right' },
  { title: 'TIME', value: row => seconds(row.runtime_seconds), align: 'right' },
  { title: 'NEXT', value: row => seconds(row.next_runtime_seconds), align: 'right' },
  { title: 'RECOVERY', value: row => recoveryOf(row) },
]

/** What a recovery script did before the next attempt. */
function recoveryOf({ recovery_script, recovery_return_code, recovery_message }: Row): string | undefined {
  if (recovery_script === undefined) return undefined
  const message = recovery_message === undefined ? '' : `: ${recovery_message}`
  return `${recovery_script} (${recovery_return_code ?? 'not run'})${message}`
}

export default defineVerb({
  about: 'List the attempts of a job that have ended: why, what it required, and what the next one got.',
  args: {
    job: { type: 'positional', required: true, valueHint: 'JOB', description: 'id or name of the job' },
    ...IN_WORKFLOW,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['jobs attempts 17'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await jobId(controlPlane, args.job, args.workflow)
      const doing = `list the attempts of job ${args.job}`
      const rows = await listAll<Row>(controlPlane.client, `/jobs/${id}/attempts`, doing, controlPlane.where)
      showRows({ many: 'attempts', columns: COLUMNS }, rows, format)
      return 0
    })
  },
})
