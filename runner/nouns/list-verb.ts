import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, PAGE, WORKFLOW } from '../command-line/options.ts'
import { defineVerb, type Verb } from '../command-line/verb.ts'
import { formatOf, listPart, withControlPlane, withQuery, workflowId } from '../commands/ask.ts'
import { type Fields, optionsOf, readFields } from './fields.ts'
import type { Noun, Row } from './noun.ts'
import { showRows } from './show.ts'

/** `runner files list [WORKFLOW]`: all of a workflow's, or a part of them. */
export function listVerb(noun: Noun): Verb {
  const filters: Fields = noun.filters ?? {}
  return defineVerb({
    about: `List the ${noun.many} of a workflow. Without an id: the newest workflow.`,
    args: {
      ...WORKFLOW,
      ...optionsOf(filters),
      ...PAGE,
      ...FORMAT,
      ...CONTROL_PLANE,
    },
    examples: [`${noun.name} list 3`, `${noun.name} list 3 --limit 10 --format json`],
    async run(args) {
      const format = formatOf(args.format)
      const limit = countFlag('--limit', args.limit, 0)
      const offset = countFlag('--offset', args.offset, 0)
      const wanted = readFields(filters, args) as Record<string, string | number | boolean>
      return withControlPlane(args, async controlPlane => {
        const { client, where } = controlPlane
        const id = await workflowId(controlPlane, args.workflow)
        const doing = `list the ${noun.many} of workflow ${id}`
        const path = withQuery(noun.listPath(id) + (noun.listQuery ?? ''), {
          ...wanted,
          sort_by: args['sort-by'],
          reverse_sort: args['reverse-sort'],
        })
        const rows = await listPart<Row>(client, path, { limit, offset }, doing, where)
        showRows(noun, rows, format)
        return 0
      })
    },
  })
}
