import { resolve } from 'node:path'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { isUrl } from '../local-server.ts'
import { withTools } from '../maintenance.ts'
import { counted } from '../screen/format.ts'

export default defineVerb({
  about:
    'Copy a database to another place: from a file to a libSQL server (sqld, Turso), or back. Stop the servers that use it first; afterwards start them on the new place. The old one stays as it is. Cut short, the same command begins anew.',
  args: {
    from: { type: 'positional', required: true, valueHint: 'FROM', description: 'path or address of the database' },
    to: { type: 'positional', required: true, valueHint: 'TO', description: 'path or address of an empty one' },
    'from-token-file': {
      type: 'string',
      valueHint: 'PATH',
      description: 'file with the token of the server at FROM (HEADRACE_FROM_DB_TOKEN)',
    },
    'to-token-file': {
      type: 'string',
      valueHint: 'PATH',
      description: 'file with the token of the server at TO (HEADRACE_DB_TOKEN)',
    },
  },
  examples: ['server move headrace_output/headrace.db libsql://jobs.example.org --to-token-file db-token'],
  async run(args) {
    const { env } = process
    const place = (db: string, token: string | undefined, tokenFile: string | undefined) => ({
      db: isUrl(db) ? db : resolve(db),
      token: token || undefined,
      tokenPath: tokenFile && resolve(tokenFile),
    })
    const from = place(args.from, env.HEADRACE_FROM_DB_TOKEN, args['from-token-file'])
    const to = place(args.to, env.HEADRACE_DB_TOKEN, args['to-token-file'])
    const tables = await withTools(({ move }) => move(from, to))
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    print(`Copied ${counted(rows, 'row')} in ${counted(tables.length, 'table')} from ${from.db} to ${to.db}`)
    return 0
  },
})
