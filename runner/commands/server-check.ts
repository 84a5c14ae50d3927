import { FORMAT } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { DATABASE, databaseOf, withTools } from '../maintenance.ts'
import { counted } from '../screen/format.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about:
    'Look for what must never be in a database: two claims of one job, counters that differ from what they count, rows that name nothing, damage. A server may be using it; nothing is changed.',
  args: { ...DATABASE, ...FORMAT },
  examples: ['server check', 'server check --db /var/lib/headrace/headrace.db --format json'],
  exitCodes: { 0: 'all is well', 1: 'something is wrong' },
  async run(args) {
    const format = formatOf(args.format)
    const place = databaseOf(args, process.env)
    const problems = await withTools(({ checkDatabase }) => checkDatabase(place))
    if (format === 'json') printJsonList(problems)
    else if (problems.length === 0) print(`All is well in ${place.db}`)
    else {
      const lines = problems.flatMap(({ what, rows }) => [what, ...rows.map(row => `  ${row}`)])
      print([`${counted(problems.length, 'problem')} in ${place.db}:`, ...lines].join('\n'))
    }
    return problems.length === 0 ? 0 : 1
  },
})
