import { resolve } from 'node:path'
import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { Delivery } from '../outbox/deliver.ts'
import { reconcile } from '../outbox/reconcile.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Tell the control plane what runners could not: sends the completions that stand in the outboxes below a directory, such as the shared output directory of many nodes. Doing it twice changes nothing.',
  args: {
    directory: {
      type: 'positional',
      required: true,
      valueHint: 'DIR',
      description: 'directory to search, with all below',
    },
    again: {
      type: 'boolean',
      description: 'send what was answered before as well, to a database that was restored from a backup',
    },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['reconcile headrace_output --url http://login1:8080'],
  async run(args) {
    const format = formatOf(args.format)
    const root = resolve(args.directory)
    return withControlPlane(args, async ({ client, where }) => {
      const { deliveries, foreign } = await reconcile(client, root, { now: Date.now(), again: args.again ?? false })
      for (const path of foreign) process.stderr.write(`Left alone as it is no outbox that can be read: ${path}\n`)
      if (format === 'json') printJsonList(deliveries.map(toItem))
      else print(deliveries.length === 0 ? `No outbox below ${root}` : renderTable(COLUMNS, deliveries, screenWidth()))
      const trouble = deliveries.find(delivery => delivery.trouble !== undefined)?.trouble
      if (trouble !== undefined)
        throw cannotRun(`Cannot tell everything to ${where}: ${trouble.message}; what is left stays in the outboxes`)
      return 0
    })
  },
})

const toItem = ({ path, entries, offered, accepted, duplicates, refused, torn, trouble }: Delivery) => ({
  path,
  completions: entries,
  offered,
  accepted,
  duplicates,
  refused,
  torn_lines: torn,
  trouble,
})

const COLUMNS: readonly Column<Delivery>[] = [
  { title: 'Outbox', value: one => one.path },
  { title: 'Completions', value: one => one.entries, align: 'right' },
  { title: 'Offered', value: one => one.offered, align: 'right' },
  { title: 'Accepted', value: one => one.accepted, align: 'right' },
  { title: 'Known', value: one => one.duplicates, align: 'right' },
  { title: 'Refused', value: one => refusedOf(one) },
  { title: 'Torn lines', value: one => one.torn, align: 'right' },
]

const refusedOf = ({ refused }: Delivery): string =>
  Object.entries(refused)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ') || '0'
