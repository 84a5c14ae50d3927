import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { createCommandRunner } from '../schedulers/command.ts'
import { formatBytes, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { listAllocations } from '../slurm/rows.ts'
import { storeAttempts } from '../slurm/store-attempts.ts'
import { type AllocationUsage, attemptsOf, readAccounting, usageOf } from '../slurm/usage.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

const COLUMNS: readonly Column<AllocationUsage>[] = [
  { title: 'ALLOCATION', value: row => row.allocation, align: 'right' },
  { title: 'STATE', value: row => row.state },
  { title: 'NODES', value: row => row.nodes, align: 'right' },
  { title: 'CPUS', value: row => row.cpus, align: 'right' },
  { title: 'ELAPSED', value: row => formatSeconds(row.elapsedSeconds), align: 'right' },
  { title: 'NODE HOURS', value: row => row.nodeHours.toFixed(2), align: 'right' },
  { title: 'CPU HOURS', value: row => row.cpuHours.toFixed(2), align: 'right' },
  { title: 'CPU USED', value: row => percentOf(row.cpuEfficiency), align: 'right' },
  { title: 'MOST MEMORY', value: row => row.maxRssBytes && formatBytes(row.maxRssBytes), align: 'right' },
]

const percentOf = (part: number | undefined): string => (part === undefined ? '' : `${Math.round(part * 100)} %`)

export default defineVerb({
  about:
    "Show what a workflow's allocations have used, by Slurm's accounting, and keep what it says of jobs that ran as steps of their own (slurm-stats).",
  args: {
    ...WORKFLOW,
    'no-store': { type: 'boolean', description: 'only show, keep nothing' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['slurm usage 3', 'slurm usage 3 --format json'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const allocations = (await listAllocations(controlPlane, id)).map(row => String(row.scheduler_id))
      if (allocations.length === 0) throw cannotRun(`Cannot show the usage of workflow ${id} as it had no allocation`)
      const accounting = await readAccounting(createCommandRunner(process.env), allocations)
      if ('trouble' in accounting) throw cannotRun(`Cannot read Slurm's accounting: ${accounting.trouble}`)
      const usage = usageOf(accounting.rows)
      const stored = args['no-store'] ? 0 : await storeAttempts(attemptsOf(accounting.rows), id, controlPlane)
      const total = { node_hours: sum(usage, row => row.nodeHours), cpu_hours: sum(usage, row => row.cpuHours) }
      if (format === 'json') {
        printJson({
          workflow_id: id,
          items: usage.map(documentOf),
          count: usage.length,
          ...total,
          slurm_stats_stored: stored,
        })
      } else {
        const summary = `${total.node_hours.toFixed(2)} node hours, ${total.cpu_hours.toFixed(2)} CPU hours in all`
        print(`${renderTable(COLUMNS, usage, screenWidth())}${summary}; ${stored} records of jobs kept`)
      }
      return 0
    })
  },
})

const sum = <T>(rows: readonly T[], value: (row: T) => number): number => rows.reduce((all, row) => all + value(row), 0)

const documentOf = (row: AllocationUsage) => ({
  scheduler_id: Number(row.allocation),
  state: row.state,
  nodes: row.nodes,
  cpus: row.cpus,
  elapsed_seconds: row.elapsedSeconds,
  node_hours: row.nodeHours,
  cpu_hours: row.cpuHours,
  cpu_efficiency: row.cpuEfficiency,
  max_rss_bytes: row.maxRssBytes,
})
