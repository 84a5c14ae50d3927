import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { listUsage } from '../recovery/list-usage.ts'
import type { Usage } from '../recovery/usage.ts'
import { formatBytes, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

const COLUMNS: readonly Column<Usage>[] = [
  { title: 'ID', value: row => row.resource_requirements_id, align: 'right' },
  { title: 'NAME', value: row => row.name },
  { title: 'JOBS', value: row => row.jobs, align: 'right' },
  { title: 'CPUS', value: row => row.num_cpus, align: 'right' },
  { title: 'USED', value: row => row.busiest_cpus, align: 'right' },
  { title: 'MEMORY', value: row => row.memory, align: 'right' },
  { title: 'USED', value: row => row.peak_memory_bytes && formatBytes(row.peak_memory_bytes), align: 'right' },
  { title: 'RUNTIME', value: row => row.runtime, align: 'right' },
  { title: 'USED', value: row => formatSeconds(row.longest_seconds), align: 'right' },
  { title: 'FINDINGS', value: row => row.findings.join(', ').replaceAll('_', ' ') },
]

export default defineVerb({
  about:
    'Compare what jobs used with what they require. `over` slows or ends jobs, `spare` keeps others from starting.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['workflows check-resources 3'],
  exitCodes: { 0: 'no job used more than it requires', 1: 'some did' },
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const usages = await listUsage(controlPlane, await workflowId(controlPlane, args.workflow))
      if (format === 'json') printJsonList(usages)
      else print(usages.length === 0 ? 'No results yet.' : renderTable(COLUMNS, usages, screenWidth()))
      return usages.some(usage => usage.findings.some(finding => finding.startsWith('over'))) ? 1 : 0
    })
  },
})
