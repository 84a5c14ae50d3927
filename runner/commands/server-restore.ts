import { resolve } from 'node:path'
import { usageError } from '../command-line/error.ts'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { isUrl } from '../local-server.ts'
import { DATABASE, databaseOf, withTools } from '../maintenance.ts'

export default defineVerb({
  about:
    'Put a backup in the place of a database that no server uses. What was there is kept beside it. Runners then offer again what they have reported in the last ten minutes.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'backup: a database file, or SQL text',
    },
    'output-dir': DATABASE['output-dir'],
    db: { ...DATABASE.db, valueHint: 'PATH', description: 'database file, if not that of the output directory' },
  },
  examples: ['server restore headrace-2026-05-01.db --db /var/lib/headrace/headrace.db'],
  async run(args) {
    const { db } = databaseOf(args, process.env)
    if (isUrl(db))
      throw usageError('Cannot restore into a libSQL server: restore a file, then `runner server move FILE URL`')
    const { path, before } = await withTools(({ restore }) => restore(resolve(args.file), db))
    print(`Restored ${path}${before === undefined ? '' : `; what was there is now ${before}`}`)
    return 0
  },
})
