import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { showRows } from '../nouns/show.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

type Row = Record<string, unknown>
type Group = Row & { key: Row; ready: number; open: number }

const ofKey = (title: string, field: string) => ({
  title,
  value: (row: Row) => String((row.key as Row)[field] ?? ''),
})

const COLUMNS = [
  'ready',
  'open',
  ofKey('FAMILY', 'family'),
  ofKey('CPUS', 'num_cpus'),
  ofKey('MEMORY', 'memory'),
  ofKey('GPUS', 'num_gpus'),
  ofKey('NODES', 'num_nodes'),
  ofKey('RUNTIME', 'runtime'),
  { title: 'TAGS', value: (row: Row) => tagsOf(row.key as { tags: Record<string, string> }) },
]

const tagsOf = ({ tags }: { tags: Record<string, string> }): string =>
  Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

export default defineVerb({
  about: 'Show which open jobs of a workflow could share an array, and have no pipe run yet.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe groups 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const reply = await controlPlane.client.request<{ items: Group[] }>('GET', `/workflows/${id}/pipe_groups`)
      const { items } = expectValue(reply, `show the groups of workflow ${id}`, controlPlane.where)
      showRows({ many: 'open jobs without a pipe run', columns: COLUMNS }, items, format)
      return 0
    })
  },
})
