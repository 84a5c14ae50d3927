import { usageError } from '../command-line/error.ts'
import { durationFlag } from '../command-line/flags.ts'
import { FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { DATABASE, databaseOf, withTools } from '../maintenance.ts'
import { counted, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf } from './ask.ts'

type Purged = { id: number; name: string; user: string; jobs: number; last_change: number }

const columns = (nowMs: number): readonly Column<Purged>[] => [
  { title: 'ID', value: one => one.id, align: 'right' },
  { title: 'NAME', value: one => one.name },
  { title: 'USER', value: one => one.user },
  { title: 'JOBS', value: one => one.jobs, align: 'right' },
  { title: 'LAST CHANGE', value: one => `${formatSeconds((nowMs - one.last_change) / 1000)} ago` },
]

export default defineVerb({
  about:
    'Remove workflows whose jobs are all complete and in which nothing has happened for long, with their results and events, from a database that no server uses. A server does the same by itself with --retention.',
  args: {
    'older-than': {
      type: 'string',
      valueHint: 'TIME',
      description: 'how long nothing has happened in them, such as 90d (required)',
    },
    'dry-run': { type: 'boolean', description: 'only show what would be removed' },
    ...DATABASE,
    ...FORMAT,
  },
  examples: [
    'server purge --older-than 90d --dry-run',
    'server purge --older-than 365d --db /var/lib/headrace/headrace.db',
  ],
  async run(args) {
    const format = formatOf(args.format)
    const seconds = durationFlag('--older-than', args['older-than'])
    if (seconds === undefined) throw usageError('Cannot purge without an age: give --older-than, such as 90d')
    const place = databaseOf(args, process.env)
    const now = Date.now()
    const dryRun = args['dry-run'] === true
    const purged = await withTools(({ purge }) => purge(place, now - seconds * 1000, dryRun))
    if (format === 'json') printJsonList(purged)
    else {
      const verb = dryRun ? 'would be removed' : 'removed'
      print(
        `${purged.length === 0 ? '' : renderTable(columns(now), purged, screenWidth())}${counted(purged.length, 'workflow')} ${verb} from ${place.db}`,
      )
    }
    return 0
  },
})
