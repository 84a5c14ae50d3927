import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RunningServer, type ServerOptions, StartError, startServer } from '../../api/node.ts'
import { migrate } from '../../db/migrate.ts'
import { openFile } from '../../db/open-file.ts'
import { run } from '../../db/unit.ts'
import { skipUnless } from '../helpers/skip.ts'

let folder: string
let running: RunningServer[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-node-'))
  running = []
})
afterEach(async () => {
  for (const server of running) await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    dbPath: join(folder, 'data', 'test.db'),
    durability: 'process',
    log: () => {},
    ...options,
  })
  running.push(server)
  return server
}

async function refusal(options: Partial<ServerOptions>): Promise<string> {
  const error = await start(options).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(StartError)
  const { message } = error as StartError
  expect(message).not.toContain('\n')
  return message
}

const mode = (path: string) => statSync(path).mode & 0o777

it('startServer() serves our own user without a token, and says where it is in a private file', async () => {
  const infoPath = join(folder, 'info', 'server.json')
  const server = await start({ infoPath })
  const response = await fetch(`${server.url}/v1/ping`)
  expect(await response.json()).toEqual({ status: 'ok' })
  expect(JSON.parse(readFileSync(infoPath, 'utf8'))).toEqual({
    url: server.url,
    pid: process.pid,
    host: expect.any(String),
    token: server.token,
    startedAt: expect.any(String),
    dbPath: join(folder, 'data', 'test.db'),
  })
  expect([
    mode(infoPath),
    mode(join(folder, 'info')),
    mode(join(folder, 'data')),
    mode(join(folder, 'data', 'test.db')),
  ]).toEqual([0o600, 0o700, 0o700, 0o600])
  await server.close()
  running = []
  expect(existsSync(infoPath)).toBe(false)
  expect(existsSync(join(folder, 'data', 'test.db.owner'))).toBe(false)
})

it('close() leaves the place of a later server alone', async () => {
  const infoPath = join(folder, 'server.json')
  const earlier = await start({ infoPath })
  const later = await start({ infoPath, dbPath: join(folder, 'other.db') })
  await earlier.close()
  expect(JSON.parse(readFileSync(infoPath, 'utf8')).url).toBe(later.url)
  await later.close()
  running = []
  expect(existsSync(infoPath)).toBe(false)
})

/** A GET from a process of another user; gives its status. */
function getAs(uid: number, url: string, headers: Record<string, string>): Promise<string> {
  const script = `require('node:http').get(${JSON.stringify(url)}, { agent: false, headers: ${JSON.stringify(headers)} }, r => {
    r.resume()
    console.log(r.statusCode)
  })`
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', script], {
      uid,
      gid: uid,
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.on('error', reject)
    child.on('close', () => resolve(out.trim()))
  })
}

const canSwitchUser = process.platform === 'linux' && process.getuid?.() === 0

skipUnless(canSwitchUser, 'S103 needs Linux and root to connect as another user')(
  'S103 another uid needs the token on loopback, we do not',
  async () => {
    const server = await start()
    const url = `${server.url}/v1/workflows`
    expect((await fetch(url)).status).toBe(200)
    expect(await getAs(65_534, url, {})).toBe('401')
    expect(await getAs(65_534, url, { authorization: 'Bearer wrong' })).toBe('401')
    expect(await getAs(65_534, url, { authorization: `Bearer ${server.token}` })).toBe('200')
    expect(await getAs(0, url, {})).toBe('200')
  },
)

function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

it('trustsOwnUser() asks pages of other sites, foreign names and proxies for the token', async () => {
  const server = await start()
  const url = `${server.url}/v1/ping`
  expect(await statusOf(url, { host: `localhost:${server.port}` })).toBe(200)
  expect(await statusOf(url, { origin: server.url })).toBe(200)
  expect(await statusOf(url, { origin: 'http://evil.example' })).toBe(401)
  expect(await statusOf(url, { host: 'evil.example' })).toBe(401)
  expect(await statusOf(url, { 'x-forwarded-for': '10.0.0.1' })).toBe(401)
  expect(await statusOf(url, { 'x-forwarded-for': '10.0.0.1', authorization: `Bearer ${server.token}` })).toBe(200)
})

it('startServer() refuses any address but loopback without a token, and asks everybody for it there', async () => {
  expect(await refusal({ host: '0.0.0.0' })).toContain('without a token')
  const server = await start({ host: '0.0.0.0', token: 'secret' })
  const url = `http://127.0.0.1:${server.port}/v1/ping`
  expect(await statusOf(url, {})).toBe(401)
  expect(await statusOf(url, { authorization: 'Bearer secret' })).toBe(200)
})

it('startServer() refuses a database that another server owns, naming it, until that one ends', async () => {
  const first = await start()
  const message = await refusal({})
  for (const word of [String(process.pid), first.url, 'another server owns it']) expect(message).toContain(word)
  await first.close()
  running = []
  await start()
})

it('startServer() says in one line why it cannot start', async () => {
  const plain = join(folder, 'plain')
  writeFileSync(plain, 'this is no database, but long enough to look like a file with a header '.repeat(20))
  expect(await refusal({ dbPath: plain })).toContain('no database')
  expect(await refusal({ dbPath: join(plain, 'x.db') })).toContain('no folder')
  expect(await refusal({ dbPath: folder })).toContain('is a folder')

  const busy = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => busy.once('listening', resolve))
  const { port } = busy.address() as { port: number }
  expect(await refusal({ port })).toMatch(new RegExp(`${port} as another program does`))
  busy.close()
  expect(await refusal({ host: '127.0.0.1.invalid', token: 'x' })).toContain('no such address')
})

it('startServer() refuses a database of a newer version and leaves it as it is', async () => {
  const dbPath = join(folder, 'new.db')
  const db = openFile(dbPath)
  await db.write(() => migrate(0))
  await db.write(() => run(`INSERT INTO headrace_migration VALUES (999, 'future', 0)`))
  await db.close()
  expect(await refusal({ dbPath })).toContain('newer Headrace')
  expect(existsSync(`${dbPath}.owner`)).toBe(false)
})

skipUnless(process.platform === 'linux', 'a folder that even root cannot write needs Linux')(
  'startServer() refuses a folder it may not write',
  async () => {
    expect(await refusal({ dbPath: '/sys/headrace.db' })).toContain('may not')
  },
)

it('startServer() keeps away from a database of another program, says so once, and stays with its sibling', async () => {
  const dbPath = join(folder, 'torc.db')
  const foreign = openFile(dbPath)
  await foreign.write(() => run('CREATE TABLE _sqlx_migrations (version INTEGER)'))
  await foreign.close()
  const before = readFileSync(dbPath)
  const lines: string[] = []
  for (const _ of [1, 2]) {
    const server = await start({ dbPath, log: line => lines.push(line) })
    await server.close()
    running = []
  }
  expect(lines.filter(line => line.includes(`${dbPath}.headrace.db`))).toHaveLength(2)
  expect(existsSync(`${dbPath}.headrace.db`)).toBe(true)
  expect(readFileSync(dbPath).equals(before)).toBe(true)
})

it('startServer() makes up a token where an empty one is given', async () => {
  const server = await start({ token: '' })
  expect(server.token).not.toBe('')
  expect(await statusOf(`${server.url}/v1/ping`, { host: 'evil.example', authorization: `Basic ${btoa('u:')}` })).toBe(
    401,
  )
})

it('startServer() lets go of file and port when it cannot say where it is', async () => {
  const infoPath = join(folder, 'data', 'test.db', 'server.json')
  expect(await refusal({ infoPath })).toContain('no folder')
  await start()
})

it('close() lets a running request end', async () => {
  const server = await start()
  const body = JSON.stringify({ name: 'w', user: 'u' })
  const reply = new Promise<number>((resolve, reject) => {
    const slow = request(`${server.url}/v1/workflows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    })
    slow.on('response', response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    slow.on('error', reject)
    slow.write(body.slice(0, 5))
    setTimeout(() => slow.end(body.slice(5)), 100)
  })
  await new Promise(resolve => setTimeout(resolve, 50))
  await server.close()
  running = []
  expect(await reply).toBe(200)
})
