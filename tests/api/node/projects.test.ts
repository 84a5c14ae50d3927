import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { formatToken } from '../../../api/core/token-text.ts'
import { backUp, checkDatabase, purge } from '../../../api/node/maintenance/main.ts'
import { createNamespace } from '../../../api/node/projects/create-namespace.ts'
import { namespaceOf } from '../../../api/node/projects/namespace.ts'
import { createProjects } from '../../../api/node/projects/projects.ts'
import { type RunningServer, type ServerOptions, startServer } from '../../../api/node.ts'
import { SCHEMA_VERSION } from '../../../db/migrate.ts'
import { openRemote } from '../../../db/open-remote.ts'
import { all, one, run } from '../../../db/unit.ts'
import { freePort } from '../../helpers/free-port.ts'
import { assertInvariants } from '../../helpers/invariants.ts'
import { type Sqld, startSqld } from '../../helpers/sqld.ts'

const KEY = 'admin-key'
const OPERATOR = 'operator-token-of-the-test'

let sqld: Sqld
let adminUrl: string
let server: RunningServer
const lines: string[] = []

beforeAll(async () => {
  const admin = `127.0.0.1:${await freePort()}`
  adminUrl = `http://${admin}`
  sqld = await startSqld({ flags: ['--enable-namespaces', '--admin-listen-addr', admin, '--admin-auth-key', KEY] })
  server = await start()
})
afterAll(async () => {
  await server.close()
  await sqld.stop()
})

const start = (options: Partial<ServerOptions> = {}): Promise<RunningServer> =>
  startServer({
    dbPath: sqld.url,
    databasePerProject: { adminUrl, adminKey: KEY },
    durability: 'process',
    token: OPERATOR,
    log: line => lines.push(line),
    ...options,
  })

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it
type Reply = { status: number; body: any; headers: Headers }

async function send(method: string, path: string, token: string, body?: object, to = server): Promise<Reply> {
  const response = await fetch(`${to.url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  return { status: response.status, body: await response.json(), headers: response.headers }
}

async function tokenOf(project: string, fields: object = {}): Promise<string> {
  const scopes = ['read', 'write', 'claim']
  const made = await send('POST', '/tokens', OPERATOR, { name: `of ${project}`, scopes, project, ...fields })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  return made.body.token
}

const databaseOf = (project: string) => openRemote({ url: sqld.url, namespace: namespaceOf(project) })
/** What a server leaves that is killed while it removes a workflow. */
const leaveHalfRemoved = (project: string, id: number) =>
  databaseOf(project).write(() => run(`UPDATE workflow SET state = 'deleting', state_since = 0 WHERE id = ?`, id))
const namesIn = async (namespace: string): Promise<string[]> => {
  const db = openRemote({ url: sqld.url, namespace })
  const rows = await db.read(() => all<{ name: string }>('SELECT name FROM workflow ORDER BY id'))
  return rows.map(row => row.name)
}

describe('namespaceOf()', () => {
  it('gives every project a name of its own that fits a host name', () => {
    const projects = ['bio', 'Bio', 'b-io', 'b io', 'ä', '', '-', 'x'.repeat(500), 'x'.repeat(501), '../default']
    const names = projects.map(namespaceOf)
    expect(new Set(names).size).toBe(projects.length)
    for (const name of names) expect(name).toMatch(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/)
  })
})

describe('createNamespace()', () => {
  it('leaves a database alone that is there, also when asked several times at once', async () => {
    const admin = { url: `${adminUrl}/`, key: KEY }
    await Promise.all(Array.from({ length: 3 }, () => createNamespace(admin, 'hr-several')))
    const db = openRemote({ url: sqld.url, namespace: 'hr-several' })
    expect(await db.read(() => one('SELECT 1 AS n'))).toEqual({ n: 1 })
  })

  it('tells that the key is wrong', async () => {
    await expect(createNamespace({ url: adminUrl, key: 'wrong' }, 'hr-none')).rejects.toThrow(/answered 401/)
  })
})

describe('createProjects()', () => {
  it('asks no database whether the process is there, and answers 503 while tokens cannot be looked up', async () => {
    const away = () => Promise.reject(Object.assign(new Error('away'), { code: 'REMOTE_UNREACHABLE' }))
    const home = { db: { ...server.db, read: away }, fetch: async () => new Response('home') }
    const tokens = { recall: () => undefined, check: away, forget: () => undefined }
    const projects = createProjects({ home, tokens, open: away, log: line => lines.push(line) })
    const authorization = `Bearer ${formatToken({ id: 1, secret: 'a'.repeat(43) })}`
    const ask = (path: string, headers: Record<string, string>) =>
      projects.fetch(new Request(`http://x${path}`, { headers }))
    expect(await (await ask('/healthz', { authorization })).text()).toBe('home')
    expect(await (await ask('/v1/workflows', {})).text()).toBe('home')
    const refused = await ask('/v1/workflows', { authorization })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    await projects.close()
  })
})

describe('the tools of a database', () => {
  it('open that of one project, and no other', async () => {
    const token = await tokenOf('kept')
    await send('POST', '/workflows', token, { name: 'only in kept', user: 'u' })
    const place = (project: string) => ({ db: sqld.url, project })
    expect(await checkDatabase(place('kept'))).toEqual([])
    expect(await checkDatabase(place(''))).toEqual([])
    await expect(checkDatabase({ db: sqld.url })).rejects.toThrow(/^Cannot use the database at/)
    const folder = mkdtempSync(join(tmpdir(), 'headrace-project-'))
    try {
      await backUp(place('kept'), join(folder, 'kept.sql'))
      await backUp(place(''), join(folder, 'home.sql'))
      expect(readFileSync(join(folder, 'kept.sql'), 'utf8')).toContain('only in kept')
      expect(readFileSync(join(folder, 'home.sql'), 'utf8')).not.toContain('only in kept')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    expect(await purge(place('kept'), Date.now(), true)).toEqual([])
    await expect(purge(place('untouched'), Date.now(), true)).rejects.toThrow(namespaceOf('untouched'))
  })
})

describe('startServer() with a database per project', () => {
  it('puts what the tokens of a project make into its own database, and nothing into others', async () => {
    const [alpha, beta] = [await tokenOf('alpha'), await tokenOf('beta')]
    const made = await send('POST', '/workflows', alpha, { name: 'of alpha', user: 'u' })
    expect(made.body).toMatchObject({ name: 'of alpha', project: 'alpha' })
    expect((await send('POST', '/workflows', beta, { name: 'of beta', user: 'u' })).status).toBe(200)
    expect((await send('POST', '/workflows', OPERATOR, { name: 'of nobody', user: 'u' })).status).toBe(200)
    expect(await namesIn(namespaceOf('alpha'))).toEqual(['of alpha'])
    expect(await namesIn(namespaceOf('beta'))).toEqual(['of beta'])
    expect(await namesIn('default')).toContain('of nobody')
    for (const [token, name] of [
      [alpha, 'of alpha'],
      [beta, 'of beta'],
    ] as const) {
      const listed = await send('GET', '/workflows', token)
      expect(listed.body.items.map((item: { name: string }) => item.name)).toEqual([name])
    }
  })

  it('makes and upgrades a database once when its first requests come together, at two servers', async () => {
    const token = await tokenOf('crowd')
    const other = await start()
    try {
      const replies = await Promise.all(
        Array.from({ length: 12 }, (_, k) =>
          send('POST', '/workflows', token, { name: `w${k}`, user: 'u' }, k % 2 === 0 ? server : other),
        ),
      )
      expect(replies.map(reply => reply.status)).toEqual(Array(12).fill(200))
      expect(new Set(replies.map(reply => reply.body.id)).size).toBe(12)
      const applied = await databaseOf('crowd').read(() => all('SELECT version FROM headrace_migration'))
      expect(applied).toHaveLength(SCHEMA_VERSION)
      await assertInvariants(databaseOf('crowd'))
    } finally {
      await other.close()
    }
  })

  it('lets a token made with one of a project into the same database, and ends it with that one', async () => {
    const token = await tokenOf('family')
    const { body: workflow } = await send('POST', '/workflows', token, { name: 'w', user: 'u' })
    const { body: child } = await send('POST', `/workflows/${workflow.id}/tokens`, token, { kind: 'job' })
    expect((await send('GET', `/workflows/${workflow.id}`, child.token)).body).toMatchObject({ project: 'family' })
    const ids = (await send('GET', '/tokens', OPERATOR)).body.items as { id: number; name: string }[]
    const { id } = ids.find(item => item.name === 'of family')!
    expect((await send('DELETE', `/tokens/${id}`, OPERATOR)).status).toBe(200)
    for (const gone of [token, child.token])
      expect((await send('GET', `/workflows/${workflow.id}`, gone)).status).toBe(401)
  })

  it('makes a token of one workflow of a project, whose id counts in that project', async () => {
    const token = await tokenOf('single')
    const { body: workflow } = await send('POST', '/workflows', token, { name: 'w', user: 'u' })
    const only = await tokenOf('single', { workflow_id: workflow.id })
    expect((await send('GET', `/workflows/${workflow.id}`, only)).status).toBe(200)
    const wrong = { name: 'x', scopes: ['read'], project: 'single', workflow_id: workflow.id + 100 }
    expect((await send('POST', '/tokens', OPERATOR, wrong)).status).toBe(404)
  })

  it('refuses a workflow of a project from whoever shows no token of it', async () => {
    const body = { name: 'w', user: 'u', project: 'alpha' }
    const reply = await send('POST', '/workflows', OPERATOR, body)
    expect(reply.status).toBe(422)
    expect(reply.body.error.field).toBe('project')
    expect((await send('POST', '/workflows', await tokenOf('gamma'), body)).status).toBe(403)
  })

  it('does what no request does in the databases of all projects, also those that another server has served', async () => {
    const token = await tokenOf('ticked')
    const { body: workflow } = await send('POST', '/workflows', token, { name: 'w', user: 'u' })
    await leaveHalfRemoved('ticked', workflow.id)
    await server.close()
    server = await start()
    await vi.waitFor(async () => expect(await namesIn(namespaceOf('ticked'))).toEqual([]), 15_000)
    const { body: later } = await send('POST', '/workflows', token, { name: 'later', user: 'u' })
    await leaveHalfRemoved('ticked', later.id)
    await vi.waitFor(async () => expect(await namesIn(namespaceOf('ticked'))).toEqual([]), 15_000)
  })

  it('answers 503 while a database cannot be made, and serves it once it can', async () => {
    const token = await tokenOf('late')
    const without = await start({ databasePerProject: {} })
    try {
      const refused = await send('GET', '/workflows', token, undefined, without)
      expect(refused.status).toBe(503)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(JSON.stringify(refused.body)).not.toContain(namespaceOf('late'))
      expect(lines.join()).toContain(`Cannot find the database ${namespaceOf('late')}`)
      expect((await send('GET', '/workflows', OPERATOR, undefined, without)).status).toBe(200)
      await createNamespace({ url: adminUrl, key: KEY }, namespaceOf('late'))
      expect((await send('GET', '/workflows', token, undefined, without)).status).toBe(200)
    } finally {
      await without.close()
    }
  })

  it('lets administrators use everything of a project where rules hold, and others what is theirs', async () => {
    const strict = await start({ access: { enforce: true, adminUsers: ['ada'] } })
    try {
      const [ada, bob, eve] = [
        await tokenOf('strict', { user: 'ada' }),
        await tokenOf('strict', { user: 'bob' }),
        await tokenOf('strict', { user: 'eve' }),
      ]
      const { body: workflow } = await send('POST', '/workflows', bob, { name: 'of bob', user: 'bob' }, strict)
      const statusFor = async (token: string) =>
        (await send('GET', `/workflows/${workflow.id}`, token, undefined, strict)).status
      expect([await statusFor(ada), await statusFor(bob), await statusFor(eve)]).toEqual([200, 200, 403])
    } finally {
      await strict.close()
    }
  })

  it('refuses wrong tokens as ever, and counts them', async () => {
    const reply = await send('GET', '/workflows', 'hr_1_wrong')
    expect(reply.status).toBe(401)
    const token = await tokenOf('alpha')
    expect((await send('GET', '/workflows', token.replace(/^hr_\d+/, 'hr_999999'))).status).toBe(401)
  })

  it('refuses a file, which holds one database', async () => {
    await expect(start({ dbPath: ':memory:' })).rejects.toThrow(/^Cannot give each project a database as a file/)
  })
})
