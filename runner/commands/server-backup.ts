import { resolve } from 'node:path'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { DATABASE, databaseOf, withTools } from '../maintenance.ts'
import { formatBytes } from '../screen/format.ts'

export default defineVerb({
  about:
    'Write what the database holds at this moment to a new file, while servers go on using it. A database at a libSQL server is written as SQL text.',
  args: {
    file: { type: 'positional', required: true, valueHint: 'FILE', description: 'file to write; it must not exist' },
    ...DATABASE,
  },
  examples: ['server backup headrace-2026-05-01.db', 'server backup jobs.sql --db libsql://jobs.example.org'],
  async run(args) {
    const place = databaseOf(args, process.env)
    const { path, bytes } = await withTools(({ backUp }) => backUp(place, resolve(args.file)))
    print(`Wrote ${path} (${formatBytes(bytes)}) from ${place.db}`)
    return 0
  },
})
