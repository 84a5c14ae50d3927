import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { startServer } from '../../api/node.ts'
import { migrate } from '../../db/migrate.ts'
import { openRemote } from '../../db/open-remote.ts'
import { all, one, run, type Statement, together, type Unit } from '../../db/unit.ts'
import { type Sqld, startSqld } from '../helpers/sqld.ts'
import { type Fate, type FaultyServer, startFaultyServer } from './faulty-server.ts'

let sqld: Sqld
beforeAll(async () => {
  sqld = await startSqld()
  const db = openRemote({ url: sqld.url })
  await db.write(() => migrate(0))
  await db.write(() => run('CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text)'))
})
afterAll(() => sqld.stop())

const open: FaultyServer[] = []
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const server of open.splice(0)) await server.stop()
})

async function faulty(fateOf: (statements: string[], index: number) => Fate, timeoutMs?: number) {
  const server = await startFaultyServer(sqld.url, fateOf)
  open.push(server)
  return { server, db: openRemote({ url: server.url, timeoutMs }) }
}

/** A slow machine must not take longer than conversations are kept. */
const stopClock = (): void => void vi.useFakeTimers({ toFake: ['Date'] })

const direct = () => openRemote({ url: sqld.url })

const notes = async (text: string): Promise<number> =>
  (await direct().read(() => one<{ n: number }>('SELECT count(*) AS n FROM note WHERE text = ?', text)))!.n

/** Adds a note and tells how many of that text there are, reading in the middle. */
function* note(text: string): Unit<number> {
  yield* one('SELECT 1')
  yield* run('INSERT INTO note(text) VALUES (?)', text)
  return (yield* one<{ n: number }>('SELECT count(*) AS n FROM note WHERE text = ?', text))!.n
}

/** The same, its last look travelling with the commit. */
function* noteAtOnce(text: string): Unit<number> {
  yield* run('INSERT INTO note(text) VALUES (?)', text)
  const count: Statement = { sql: 'SELECT count(*) AS n FROM note WHERE text = ?', args: [text], last: true }
  const [rows] = yield* together([count])
  return rows![0].n
}

it.each([
  ['lose request', 'three', note, 3],
  ['lose answer', 'three', note, 3],
  ['lose request', 'one', noteAtOnce, 1],
  ['lose answer', 'one', noteAtOnce, 1],
  ['cut answer', 'one', noteAtOnce, 1],
] as const)(
  'write() takes effect once and tells its value when the network will %s in any call of a unit that makes %s',
  async (fate, _, unit, calls) => {
    for (let k = 0; k < calls; k++) {
      const { server, db } = await faulty((_, index) => (index === k ? fate : 'pass'))
      const text = `${fate} ${unit.name} ${k}`
      expect(await db.write(() => unit(text)), `call ${k}`).toBe(1)
      expect(await notes(text), `call ${k}`).toBe(1)
      expect(server.requests.length).toBeGreaterThan(calls)
    }
  },
  120_000,
)

it('write() is undone whole when its unit throws', async () => {
  const db = direct()
  const failing = db.write(function* () {
    yield* note('thrown away')
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await notes('thrown away')).toBe(0)
})

it('write() is undone whole, and can be repeated at once, when a statement fails', async () => {
  const db = direct()
  const failing = db.write(function* () {
    yield* run('INSERT INTO note(text) VALUES (?)', 'half')
    yield* run('INSERT INTO note(id, text) VALUES (1, ?), (1, ?)', 'half', 'half')
  })
  await expect(failing).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT' })
  expect(await notes('half')).toBe(0)
  expect(await db.write(() => note('half'))).toBe(1)
})

it('write() gives up a server that does not answer, in bounded time, and says so', async () => {
  const { db, server } = await faulty(() => 'hang', 100)
  await expect(db.write(() => note('lost'))).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
  await expect(db.read(() => one('SELECT 1'))).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
  expect(server.requests.length).toBeGreaterThan(2)
})

it('read() is repeated when an answer is lost, and fails at once when a statement is wrong', async () => {
  const { db, server } = await faulty((_, index) => (index === 0 ? 'lose answer' : 'pass'))
  expect(await db.read(() => one('SELECT 1 AS n'))).toEqual({ n: 1 })
  expect(server.requests).toHaveLength(2)
  await expect(db.read(() => one('SELECT no_such_column'))).rejects.toThrow('no_such_column')
  expect(server.requests).toHaveLength(3)
})

it('read() goes on in a conversation that is there already, and begins another when the server has none of it any more', async () => {
  stopClock()
  const db = direct()
  const hello = () => db.read(() => one<{ word: string }>(`SELECT 'hello' AS word`))
  await hello()
  const asked = vi.spyOn(globalThis, 'fetch')
  expect(await hello()).toEqual({ word: 'hello' })
  expect(batonsOf(asked.mock.calls)).toEqual([expect.any(String)])
  await sqld.restart()
  asked.mockClear()
  expect(await hello()).toEqual({ word: 'hello' })
  expect(batonsOf(asked.mock.calls)).toEqual([expect.any(String), null])
  await db.close()
})

it('read() of many at once keeps eight conversations, and tells the server of the end of the others as they go', async () => {
  stopClock()
  const db = direct()
  const hello = () => db.read(() => one<{ word: string }>(`SELECT 'hello' AS word`))
  const asked = vi.spyOn(globalThis, 'fetch')
  await Promise.all(Array.from({ length: 12 }, hello))
  const closed = asked.mock.calls.filter(([, init]) => String(init!.body).includes('"close"'))
  expect([asked.mock.calls.length, closed.length]).toEqual([12, 4])
  asked.mockClear()
  await Promise.all(Array.from({ length: 12 }, hello))
  expect(batonsOf(asked.mock.calls).filter(baton => baton !== null)).toHaveLength(8)
  await db.close()
})

it('read() leaves no transaction open where a statement fails among others', async () => {
  const db = direct()
  const wrong = () =>
    together([
      { sql: 'SELECT 1', args: [] },
      { sql: 'SELECT no_such_column', args: [] },
    ])
  await expect(db.read(wrong)).rejects.toThrow('no_such_column')
  await direct().write(() => note('after a wrong read'))
  expect(
    await db.read(() => one<{ n: number }>('SELECT count(*) AS n FROM note WHERE text = ?', 'after a wrong read')),
  ).toEqual({ n: 1 })
})

const batonsOf = (calls: readonly Parameters<typeof fetch>[]): unknown[] =>
  calls.map(([, init]) => (JSON.parse(String(init!.body)) as { baton: unknown }).baton)

it('read() sees one state in statements that are yielded together', async () => {
  const db = direct()
  let done = false
  const writing = (async () => {
    for (let k = 0; k < 20; k++) await direct().write(() => note('state'))
    done = true
  })()
  const count = { sql: `SELECT count(*) AS n FROM note WHERE text = 'state'`, args: [] }
  let looks = 0
  while (!done || looks === 0) {
    const [first, second] = await db.read(() => together([count, count]))
    expect(second).toEqual(first)
    looks++
  }
  await writing
  expect(await notes('state')).toBe(20)
})

it('write() of many connections at once loses nothing and numbers each once', async () => {
  const writers = Array.from({ length: 20 }, () => openRemote({ url: sqld.url }))
  const numbers = await Promise.all(writers.map(db => db.write(() => note('many'))))
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, k) => k + 1))
})

it('write() outlives a restart of the server', async () => {
  const own = await startSqld()
  try {
    const db = openRemote({ url: own.url })
    await db.write(() => migrate(0))
    await own.restart()
    await db.write(() => run('CREATE TABLE kept (id INTEGER)'))
    expect(await db.read(() => all('SELECT * FROM kept'))).toEqual([])
  } finally {
    await own.stop()
  }
})

it('values come back as they went in', async () => {
  const values = [null, 1, -1.5, 2 ** 53 - 1, 'text \u{1F30A}', '', new Uint8Array([0, 1, 255])]
  const row = await direct().read(() =>
    one<Record<string, unknown>>('SELECT ? a, ? b, ? c, ? d, ? e, ? f, ? g', ...values),
  )
  expect(Object.values(row!)).toEqual(values)
})

it('a text with half a character is stored with a replacement, as on a file', async () => {
  const row = await direct().read(() => one<{ text: string }>('SELECT ? AS text', 'a\ud800b'))
  expect(row).toEqual({ text: 'a\ufffdb' })
})

it('openRemote() has the server send its replies as they are, however long', async () => {
  const fetched = vi.spyOn(globalThis, 'fetch')
  await direct().read(() => all(`SELECT printf('%.*c', 100000, 'x') AS text`))
  const response = await (fetched.mock.results[0]!.value as Promise<Response>)
  expect(response.headers.get('content-encoding')).toBeNull()
})

it('openRemote() shows its token, and tells when the server does not take it', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const folder = mkdtempSync(join(tmpdir(), 'headrace-key-'))
  writeFileSync(join(folder, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
  const own = await startSqld({ flags: ['--auth-jwt-key-file', join(folder, 'key.pem')] })
  try {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part({ a: 'rw' })}`
    const token = `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`
    const look = () => one('SELECT 1 AS n')
    expect(await openRemote({ url: own.url, token }).read(look)).toEqual({ n: 1 })
    for (const wrong of [undefined, `${text}.x`])
      await expect(openRemote({ url: own.url, token: wrong }).read(look)).rejects.toThrow(/answered 401/)
  } finally {
    await own.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

it('startServer() serves a database server, two of them share it, and one that is absent is told in a line', async () => {
  const options = { dbPath: sqld.url, durability: 'process', log: () => undefined } as const
  const servers = await Promise.all([startServer(options), startServer(options)])
  try {
    const url = (k: number, path: string) => `${servers[k]!.url}/v1${path}`
    const made = await fetch(url(0, '/workflows'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'shared', user: 'u' }),
    })
    const { id } = (await made.json()) as { id: number }
    expect((await fetch(url(1, `/workflows/${id}`))).status).toBe(200)
  } finally {
    for (const server of servers) await server.close()
  }
  await expect(startServer({ ...options, dbPath: 'http://127.0.0.1:9' })).rejects.toThrow(/^Cannot use the database at/)
})

it('write() lets go of the lock when the server finds a reply too large', async () => {
  const own = await startSqld({ flags: ['--max-response-size', '100KB'] })
  try {
    // Shorter than a lock that nobody gives back is held.
    const db = openRemote({ url: own.url, timeoutMs: 3_000 })
    await db.write(() => migrate(0))
    const tooLarge = db.write(function* () {
      yield* one('SELECT 1')
      yield* one('SELECT hex(zeroblob(200000))')
    })
    await expect(tooLarge).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE' })
    const before = db.roundTrips
    await db.write(() => run('CREATE TABLE after (id INTEGER)'))
    expect(db.roundTrips - before).toBe(1)
  } finally {
    await own.stop()
  }
})

it.each([false, true])(
  'write() keeps its writes in a queue from waiting for each other at the server, requests apart: %s',
  async requestsApart => {
    let open = 0
    let most = 0
    const { server } = await faulty(statements => {
      if (statements[0] === 'BEGIN IMMEDIATE') most = Math.max(most, ++open)
      if (statements.at(-1) === 'COMMIT') open--
      return 'pass'
    })
    const db = openRemote({ url: server.url, queue: true, requestsApart })
    const text = `queue ${requestsApart}`
    const numbers = await Promise.all(Array.from({ length: 10 }, () => db.write(() => note(text))))
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, k) => k + 1))
    expect(most).toBe(1)
  },
)

it('write() of a queue does not begin to wait for a silent server when the one before it waited in vain for as long as callers do', async () => {
  stopClock()
  const { server } = await faulty(() => 'hang')
  const db = openRemote({ url: server.url, timeoutMs: 100, queue: true })
  const first = db.write(() => note('first'))
  const second = db.write(() => note('second'))
  first.catch(() => vi.setSystemTime(Date.now() + 60_000))
  await expect(first).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
  const asked = server.requests.length
  await expect(second).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
  expect(server.requests).toHaveLength(asked)
})

it('write() tries once more, and not three times, when the server has kept it waiting for as long as callers do', async () => {
  stopClock()
  const { db, server } = await faulty((_, index) => {
    if (index === 1) vi.setSystemTime(Date.now() + 60_000)
    return 'hang'
  }, 100)
  await expect(db.write(() => note('patience'))).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
  expect(server.requests).toHaveLength(2)
})
