import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import type { Row } from '../nouns/noun.ts'
import { showRows } from '../nouns/show.ts'
import { expectValue, formatOf, listAll, withControlPlane } from './ask.ts'

const reloadAuth = defineVerb({
  about: 'Make the server read its password file anew.',
  args: { ...FORMAT, ...CONTROL_PLANE },
  examples: ['admin reload-auth'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async ({ client, where }) => {
      const reply = await client.request<{ message: string; user_count: number }>('POST', '/admin/reload-auth')
      const done = expectValue(reply, 'reload the password file', where)
      if (format === 'json') printJson(done)
      else print(`${done.message}.`)
      return 0
    })
  },
})

const sql = defineVerb({
  about: 'Read the database of a server by SQL, where its options allow that.',
  args: {
    statement: { type: 'positional', required: true, valueHint: 'SQL', description: 'one statement that reads' },
    limit: { type: 'string', valueHint: 'N', description: 'at most this many rows (default: 100000)' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['admin sql "SELECT user, count(*) AS n FROM workflow GROUP BY user"'],
  async run(args) {
    const format = formatOf(args.format)
    const limit = countFlag('--limit', args.limit, 1)
    return withControlPlane(args, async ({ client, where }) => {
      const body = { sql: args.statement, limit }
      const reply = await client.request<{ columns: string[]; items: Row[] }>('POST', '/admin/sql', body)
      const { columns, items } = expectValue(reply, 'run the statement', where)
      showRows({ many: 'rows', columns }, items, format)
      return 0
    })
  },
})

const auditLog = defineVerb({
  about: 'List the statements that administrators have run, the newest first.',
  args: { ...FORMAT, ...CONTROL_PLANE },
  examples: ['admin audit-log'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async ({ client, where }) => {
      const rows = await listAll<Row>(client, '/admin/audit-log', 'list the statements of administrators', where)
      showRows({ many: 'statements', columns: ['id', 'user_name', 'success', 'sql_text', 'error'] }, rows, format)
      return 0
    })
  },
})

const calls = defineVerb({
  about: 'List what was changed about the server, and by whom, the newest first.',
  args: { ...FORMAT, ...CONTROL_PLANE },
  examples: ['admin calls'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async ({ client, where }) => {
      const rows = await listAll<Row>(client, '/admin/calls', 'list the calls of administrators', where)
      showRows({ many: 'calls', columns: ['id', 'user_name', 'token_id', 'operation', 'detail'] }, rows, format)
      return 0
    })
  },
})

const group: Group = {
  about: 'What administrators of a server do.',
  verbs: {
    'reload-auth': entryFor(reloadAuth),
    sql: entryFor(sql),
    'audit-log': entryFor(auditLog),
    calls: entryFor(calls),
  },
}
export default group
