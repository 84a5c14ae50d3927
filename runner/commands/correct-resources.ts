import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { Raise } from '../recovery/decide.ts'
import { changeRequirements } from '../recovery/failed-jobs.ts'
import { listUsage } from '../recovery/list-usage.ts'
import { multiplierFlag } from '../recovery/recover.ts'
import { corrections } from '../recovery/usage.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

const MULTIPLIER = 1.2

const shift = (change: { from: string; to: string } | undefined) => change && `${change.from} to ${change.to}`

const COLUMNS: readonly Column<Raise>[] = [
  { title: 'ID', value: row => row.resource_requirements_id, align: 'right' },
  { title: 'NAME', value: row => row.name },
  { title: 'MEMORY', value: row => shift(row.memory) },
  { title: 'RUNTIME', value: row => shift(row.runtime) },
]

export default defineVerb({
  about:
    'Change requirements to what jobs used, with room to spare: more where jobs used more, and with --downsize less where they used less than half.',
  args: {
    ...NAMED_WORKFLOW,
    'dry-run': { type: 'boolean', description: 'only show what would change' },
    downsize: { type: 'boolean', description: 'also require less where jobs used less than half' },
    'memory-multiplier': {
      type: 'string',
      valueHint: 'N',
      description: `times the most memory that was used (default: ${MULTIPLIER})`,
    },
    'runtime-multiplier': {
      type: 'string',
      valueHint: 'N',
      description: `times the longest time that was used (default: ${MULTIPLIER})`,
    },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['workflows correct-resources 3 --dry-run', 'workflows correct-resources 3 --downsize'],
  async run(args) {
    const format = formatOf(args.format)
    const dryRun = args['dry-run'] === true
    const correction = {
      memoryMultiplier: multiplierFlag('--memory-multiplier', args['memory-multiplier']) ?? MULTIPLIER,
      runtimeMultiplier: multiplierFlag('--runtime-multiplier', args['runtime-multiplier']) ?? MULTIPLIER,
      downsize: args.downsize === true,
    }
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const changes = corrections(await listUsage(controlPlane, id), correction)
      if (!dryRun) {
        for (const { resource_requirements_id, memory, runtime } of changes)
          await changeRequirements(controlPlane, resource_requirements_id, { memory: memory?.to, runtime: runtime?.to })
      }
      if (format === 'json') printJson({ workflow_id: id, dry_run: dryRun, changes })
      else print(changes.length === 0 ? 'Nothing to change.' : renderTable(COLUMNS, changes, screenWidth()))
      return 0
    })
  },
})
