import { TOKEN_SCOPES } from '../../api/core/token-scopes.ts'
import { allValues } from '../command-line/arguments.ts'
import { cannotRun } from '../command-line/error.ts'
import { countFlag, durationFlag, idFlag, wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, type Format, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import { showRow, showRows } from '../nouns/show.ts'
import { mintToken } from '../tokens/mint.ts'
import { refuseTokenFile, writeTokenFile } from '../tokens/token-file.ts'
import type { TokenReply } from '../tokens/wire.ts'
import { expectValue, formatOf, listAll, withControlPlane, withQuery, workflowId } from './ask.ts'

const TOKENS = {
  many: 'tokens',
  columns: ['id', 'name', 'status', 'scopes', 'user', 'workflow_id', 'project', 'expires_at', 'last_used_at'],
} as const
const ID = { id: { type: 'positional', required: true, valueHint: 'ID', description: 'id of the token' } } as const
const OUT = {
  out: {
    type: 'string',
    valueHint: 'PATH',
    description: 'write the token to this new private file, and do not print it',
  },
} as const
const EXPIRES = {
  expires: { type: 'string', valueHint: 'TIME', description: 'when it ends, such as 8h or 30d (default: never)' },
} as const

const CREATE = {
  name: { type: 'positional', required: true, valueHint: 'NAME', description: 'what it is for' },
  scope: {
    type: 'string',
    valueHint: TOKEN_SCOPES.join('|'),
    description: 'what it allows (repeatable, or joined with commas; default: read)',
  },
  user: { type: 'string', valueHint: 'NAME', description: 'whose rights it has (default: all that its scopes give)' },
  workflow: { type: 'string', valueHint: 'WORKFLOW', description: 'id of the only workflow it opens' },
  project: { type: 'string', valueHint: 'NAME', description: 'the only project it opens' },
  ...EXPIRES,
  ...OUT,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

const create = defineVerb({
  about: 'Make a token. It is shown this once.',
  args: CREATE,
  examples: [
    'tokens create prometheus --scope read',
    'tokens create "ada, laptop" --user ada --scope write,claim --expires 90d --out ~/.headrace-token',
  ],
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const body = {
      name: args.name,
      scopes: scopesOf(allValues(CREATE, rawArgs, 'scope')),
      user: args.user,
      workflow_id: countFlag('--workflow', args.workflow, 1),
      project: args.project,
      expires_in_seconds: durationFlag('--expires', args.expires),
    }
    refuseTokenFile(args.out)
    return withControlPlane(args, async ({ client, where }) => {
      const reply = await client.request<TokenReply>('POST', '/tokens', body)
      showMade(expectValue(reply, `make the token ${args.name}`, where), args.out, format)
      return 0
    })
  },
})

function scopesOf(given: readonly string[]): string[] {
  const words = given.flatMap(text => text.split(',')).filter(word => word !== '')
  const known = words.map(word => wordFlag('--scope', word, TOKEN_SCOPES)!)
  return known.length === 0 ? ['read'] : known
}

const list = defineVerb({
  about: 'List the tokens of a server.',
  args: { all: { type: 'boolean', description: 'those that have ended, too' }, ...FORMAT, ...CONTROL_PLANE },
  examples: ['tokens list', 'tokens list --all --format json'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async ({ client, where }) => {
      const path = withQuery('/tokens', { all: args.all })
      showRows(TOKENS, await listAll<TokenReply>(client, path, 'list the tokens', where), format)
      return 0
    })
  },
})

const get = defineVerb({
  about: 'Show one token, without its secret.',
  args: { ...ID, ...FORMAT, ...CONTROL_PLANE },
  examples: ['tokens get 7'],
  async run(args) {
    const format = formatOf(args.format)
    const id = idFlag('the id of the token', args.id)
    return withControlPlane(args, async ({ client, where }) => {
      const reply = await client.request<TokenReply>('GET', `/tokens/${id}`)
      showRow(expectValue(reply, `show token ${id}`, where), format)
      return 0
    })
  },
})

const rotate = defineVerb({
  about: 'Give a token another secret, which is shown this once. Id, rights and end stay.',
  args: {
    ...ID,
    grace: { type: 'string', valueHint: 'TIME', description: 'how long the old one still opens (default: not at all)' },
    ...OUT,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['tokens rotate 7 --grace 1h --out token.new'],
  async run(args) {
    const format = formatOf(args.format)
    const id = idFlag('the id of the token', args.id)
    const grace_seconds = durationFlag('--grace', args.grace)
    refuseTokenFile(args.out)
    return withControlPlane(args, async ({ client, where }) => {
      const reply = await client.request<TokenReply>('POST', `/tokens/${id}/rotate`, { grace_seconds })
      showMade(expectValue(reply, `rotate token ${id}`, where), args.out, format)
      return 0
    })
  },
})

const revoke = defineVerb({
  about: 'End a token, with all that were made with it.',
  args: { ...ID, ...FORMAT, ...CONTROL_PLANE },
  examples: ['tokens revoke 7'],
  async run(args) {
    const format = formatOf(args.format)
    const id = idFlag('the id of the token', args.id)
    return withControlPlane(args, async ({ client, where }) => {
      const reply = await client.request<TokenReply>('DELETE', `/tokens/${id}`)
      const revoked = expectValue(reply, `revoke token ${id}`, where)
      if (format === 'json') printJson(revoked)
      else print(`Revoked token ${revoked.id}: ${revoked.name}.`)
      return 0
    })
  },
})

const mint = defineVerb({
  about:
    'Make a token for the runners of one workflow, or for its jobs. Whoever may claim its jobs can; it ends with the token it is made with.',
  args: {
    ...NAMED_WORKFLOW,
    kind: { type: 'string', valueHint: 'runner|job', description: 'for whom (default: runner)' },
    expires: { type: 'string', valueHint: 'TIME', description: 'when it ends, such as 8h or 2d (default: 1d)' },
    ...OUT,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['tokens mint 3 --expires 8h --out token'],
  async run(args) {
    const format = formatOf(args.format)
    const kind = wordFlag('--kind', args.kind, ['runner', 'job']) ?? 'runner'
    const seconds = durationFlag('--expires', args.expires) ?? 86_400
    refuseTokenFile(args.out)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const reply = await mintToken(controlPlane.client, id, { kind, seconds })
      showMade(expectValue(reply, `make a token for workflow ${id}`, controlPlane.where), args.out, format)
      return 0
    })
  },
})

/** Shows what was made: its text on a line of its own, to be copied, or in the file that was asked for. */
function showMade({ token, ...made }: TokenReply, out: string | undefined, format: Format): void {
  if (token === undefined)
    throw cannotRun('Cannot show the token as the server sent none: it is no Headrace, or an old one')
  if (out !== undefined) writeTokenFile(out, token)
  if (format === 'json') printJson(out === undefined ? { ...made, token } : made)
  else print(out === undefined ? token : `Wrote token ${made.id} to ${out}.`)
}

const group: Group = {
  about: 'What programs and people show to a server instead of a password.',
  verbs: {
    create: entryFor(create),
    list: entryFor(list),
    get: entryFor(get),
    rotate: entryFor(rotate),
    revoke: entryFor(revoke),
    mint: entryFor(mint),
  },
}
export default group
