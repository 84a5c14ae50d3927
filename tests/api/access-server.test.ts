import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RunningServer, type ServerOptions, StartError, startServer } from '../../api/node.ts'
import { basic } from '../helpers/access.ts'

let folder: string
let authFile: string
let running: RunningServer[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-access-'))
  authFile = join(folder, 'users.htpasswd')
  running = []
  writeUsers(['root', 'ada', 'ben'])
})
afterEach(async () => {
  for (const server of running) await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const hash = (name: string) => bcrypt.hashSync(`pw-${name}`, 4)
const writeUsers = (names: string[]) => writeFileSync(authFile, names.map(name => `${name}:${hash(name)}\n`).join(''))
const as = (name: string) => basic(name, `pw-${name}`)

async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    dbPath: join(folder, 'test.db'),
    durability: 'process',
    log: () => {},
    ...options,
  })
  running.push(server)
  return server
}

async function stop(server: RunningServer): Promise<void> {
  await server.close()
  running = running.filter(other => other !== server)
}

async function ask(server: RunningServer, method: string, path: string, headers: object = {}, body?: object) {
  const response = await fetch(`${server.url}/torc-service/v1${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) } as Record<string, string>,
    body: body && JSON.stringify(body),
  })
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it
  return { status: response.status, headers: response.headers, body: (await response.json()) as any }
}

const refusalOf = (options: Partial<ServerOptions>) =>
  start(options).then(
    () => undefined,
    (error: unknown) => error,
  )

it('startServer() asks for the passwords of its file, and keeps users apart where rules are enforced', async () => {
  const server = await start({
    access: { authFile, requireAuth: true, enforce: true, adminUsers: ['root'] },
  })
  expect((await ask(server, 'GET', '/ping')).status).toBe(401)
  expect((await ask(server, 'GET', '/ping', basic('ada', 'wrong'))).status).toBe(401)
  expect((await ask(server, 'GET', '/version', as('ada'))).body.git_hash).toBeUndefined()
  const made = await ask(server, 'POST', '/workflows', as('ada'), { name: 'w', user: 'x' })
  expect([made.status, made.body.user]).toEqual([200, 'ada'])
  const path = `/workflows/${made.body.id}`
  expect((await ask(server, 'GET', path, as('ada'))).status).toBe(200)
  expect((await ask(server, 'GET', path, as('ben'))).status).toBe(403)
  expect((await ask(server, 'GET', path, as('root'))).status).toBe(200)
  expect((await ask(server, 'GET', path, { authorization: `Bearer ${server.token}` })).status).toBe(200)
})

it('startServer() takes our own user without credentials for nobody in particular once rules are enforced', async () => {
  const server = await start({ access: { enforce: true } })
  expect((await ask(server, 'GET', '/ping')).status).toBe(200)
  expect((await ask(server, 'POST', '/workflows', {}, { name: 'w', user: 'u' })).status).toBe(403)
})

it('startServer() with a password file lets our own user in without one, unless told otherwise', async () => {
  const server = await start({ access: { authFile } })
  expect((await ask(server, 'GET', '/workflows')).status).toBe(200)
  expect((await ask(server, 'GET', '/workflows', basic('ada', 'wrong'))).status).toBe(401)
  expect((await ask(server, 'POST', '/admin/reload-auth')).body.user_count).toBe(3)
})

it('POST /admin/reload-auth reads the file of users anew; a bad one leaves the old users', async () => {
  const server = await start({ access: { authFile, requireAuth: true } })
  expect((await ask(server, 'GET', '/ping', as('ben'))).status).toBe(200)
  writeUsers(['ada', 'cy'])
  expect((await ask(server, 'POST', '/admin/reload-auth', as('ada'))).body.user_count).toBe(2)
  expect((await ask(server, 'GET', '/ping', as('ben'))).status).toBe(401)
  expect((await ask(server, 'GET', '/ping', as('cy'))).status).toBe(200)
  writeFileSync(authFile, 'ada:plain\n')
  expect((await ask(server, 'POST', '/admin/reload-auth', as('ada'))).status).toBe(422)
  expect((await ask(server, 'GET', '/ping', as('cy'))).status).toBe(200)
})

it('startServer() refuses to require passwords without a file, and a file that is missing or bad', async () => {
  for (const [access, says] of [
    [{ requireAuth: true }, 'without a file'],
    [{ authFile: join(folder, 'none') }, 'ENOENT'],
    [{ adminSql: true }, 'everybody is an administrator'],
  ] as const) {
    const error = await refusalOf({ access })
    expect(error).toBeInstanceOf(StartError)
    expect((error as StartError).message).toContain(says)
  }
  writeFileSync(authFile, '# nobody\n')
  expect(await refusalOf({ access: { authFile } })).toBeInstanceOf(StartError)
  // Each time it has let go of the database.
  await start()
})

it('startServer() listens on other addresses than loopback with a password file, and then knows nobody by himself', async () => {
  const server = await start({ host: '0.0.0.0', access: { authFile } })
  expect((await ask(server, 'GET', '/ping')).status).toBe(401)
  expect((await ask(server, 'GET', '/ping', as('ada'))).status).toBe(200)
})

it('startServer() sets the administrators at each start, and leaves them alone when not told', async () => {
  const token = 'a-token-for-this-test'
  const options = { token, access: { authFile, enforce: true, adminUsers: ['root'] } }
  const first = await start(options)
  expect((await ask(first, 'GET', '/access_groups', as('root'))).status).toBe(200)
  await stop(first)
  // As a command does that opens the database in its own process.
  await stop(await start({ token }))
  const third = await start({ token, access: { authFile, enforce: true } })
  expect((await ask(third, 'GET', '/access_groups', as('root'))).status).toBe(200)
  await stop(third)
  const fourth = await start({ token, access: { ...options.access, adminUsers: ['ada'] } })
  expect((await ask(fourth, 'GET', '/access_groups', as('root'))).status).toBe(403)
  expect((await ask(fourth, 'GET', '/access_groups', as('ada'))).status).toBe(200)
})

it('startServer() keeps its token in a private file from start to start, and uses none that others can read', async () => {
  const tokenPath = join(folder, 'secrets', 'token')
  const first = await start({ tokenPath })
  expect(readFileSync(tokenPath, 'utf8').trim()).toBe(first.token)
  expect(statSync(tokenPath).mode & 0o777).toBe(0o600)
  await stop(first)
  const second = await start({ tokenPath, host: '0.0.0.0' })
  expect(second.token).toBe(first.token)
  await stop(second)
  chmodSync(tokenPath, 0o640)
  expect(((await refusalOf({ tokenPath })) as StartError).message).toContain('chmod 600')
  chmodSync(tokenPath, 0o600)
  writeFileSync(tokenPath, 'short\n')
  expect(await refusalOf({ tokenPath })).toBeInstanceOf(StartError)
  expect(existsSync(tokenPath)).toBe(true)
})

it('GET /admin/api-stats counts what was served, refusals too, for administrators', async () => {
  const server = await start({ access: { authFile, requireAuth: true, enforce: true, adminUsers: ['root'] } })
  await ask(server, 'GET', '/ping', as('ada'))
  await ask(server, 'GET', '/workflows/999', as('ada'))
  await ask(server, 'GET', '/ping', basic('ada', 'wrong'))
  const { body } = await ask(server, 'GET', '/admin/api-stats?window_seconds=120', as('root'))
  expect(body).toMatchObject({ window_seconds: 120, interval_seconds: 60, now_ms: expect.any(Number) })
  const sum = (field: string) =>
    body.buckets.reduce((n: number, bucket: Record<string, number>) => n + bucket[field]!, 0)
  expect([sum('request_count'), sum('status_2xx'), sum('status_4xx'), sum('status_5xx')]).toEqual([3, 1, 2, 0])
  expect(sum('bytes_in')).toBeGreaterThan(300)
  expect(sum('bytes_out')).toBeGreaterThan(300)
  expect((await ask(server, 'GET', '/admin/api-stats', as('ada'))).status).toBe(403)
  expect((await ask(server, 'GET', '/admin/api-stats?interval_seconds=0', as('root'))).status).toBe(422)
})

it('S98 guesses are answered with 401 or asked to wait, and those who are known meanwhile are served', async () => {
  writeFileSync(authFile, `ada:${bcrypt.hashSync('pw-ada', 8)}\n`)
  const server = await start({ access: { authFile, requireAuth: true } })
  expect((await ask(server, 'GET', '/ping', as('ada'))).status).toBe(200)
  const guesses = Array.from({ length: 100 }, (_, k) => ask(server, 'GET', '/ping', basic('ada', `guess-${k}`)))
  expect((await ask(server, 'GET', '/ping', as('ada'))).status).toBe(200)
  const replies = await Promise.all(guesses)
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401, 503]))
  const waiting = replies.filter(({ status }) => status === 503)
  for (const { headers } of waiting) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(replies.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(50)
})
