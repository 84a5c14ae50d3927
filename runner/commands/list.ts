import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, PAGE } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, listPart, withControlPlane, withQuery } from './ask.ts'

type Workflow = {
  id: number
  name: string
  user: string
  timestamp?: string
  project?: string
  description?: string
  is_canceled?: boolean
  is_archived?: boolean
}

const COLUMNS: readonly Column<Workflow>[] = [
  { title: 'ID', value: row => row.id, align: 'right' },
  { title: 'NAME', value: row => row.name },
  { title: 'USER', value: row => row.user },
  { title: 'CREATED', value: row => row.timestamp?.slice(0, 16).replace('T', ' ') },
  { title: 'STATE', value: row => (row.is_canceled ? 'canceled' : row.is_archived ? 'archived' : '') },
  { title: 'DESCRIPTION', value: row => row.description },
]

export default defineVerb({
  about: 'List workflows, oldest first.',
  args: {
    archived: { type: 'boolean', description: 'list archived workflows instead' },
    name: { type: 'string', valueHint: 'TEXT', description: 'only those with this name' },
    user: { type: 'string', valueHint: 'NAME', description: 'only those of this user' },
    ...PAGE,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['list', 'list --url http://127.0.0.1:8080 --format json'],
  async run(args) {
    const format = formatOf(args.format)
    const limit = countFlag('--limit', args.limit, 0)
    const offset = countFlag('--offset', args.offset, 0)
    return withControlPlane(args, async ({ client, where }) => {
      const path = withQuery('/workflows', {
        is_archived: args.archived === true,
        name: args.name,
        user: args.user,
        sort_by: args['sort-by'],
        reverse_sort: args['reverse-sort'],
      })
      const workflows = await listPart<Workflow>(client, path, { limit, offset }, 'list workflows', where)
      if (format === 'json') printJsonList(workflows)
      else print(workflows.length === 0 ? 'No workflows.' : renderTable(COLUMNS, workflows, screenWidth()))
      return 0
    })
  },
})
