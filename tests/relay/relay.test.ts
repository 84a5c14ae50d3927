import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startServer } from '../../api/node.ts'
import { readEventStream } from '../../runner/client/event-stream.ts'
import { createHttpTransport } from '../../runner/client/http-transport.ts'
import { type Client, createClient } from '../../runner/client.ts'
import { createRelay } from '../../runner/relay/relay.ts'
import { readRelayToken, relayToken } from '../../runner/relay/token-file.ts'
import { listen, readBody, serve } from '../cli/http-server.ts'
import { waitUntil } from '../launcher/harness.ts'

const TOKEN = 'the-token-of-this-relay'

const relayTo = async (baseUrl: string, token?: string): Promise<string> =>
  `http://127.0.0.1:${await listen(createRelay({ address: { baseUrl, token }, token: TOKEN, env: {} }))}`

const clientOf = (url: string, token: string): Client =>
  createClient(createHttpTransport({ baseUrl: `${url}/v1` }, {}), { token, attempts: 1 })

/** Sends one request as it is and gives the reply's headers and stream. */
function send(url: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  const { method = 'GET', headers = {}, body } = options
  return new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(url, { method, headers, agent: false }, resolve).on('error', reject).end(body)
  })
}

/** The status of a request whose path is sent to the letter. */
const statusOf = (options: RequestOptions): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(options, response => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject).end()
  })

const authorized = { authorization: `Bearer ${TOKEN}` }

describe('createRelay()', () => {
  test('passes method, path, headers and body on, and the reply back, both dialects', async () => {
    const seen: unknown[] = []
    const upstream = await serve(async (request, response) => {
      const { 'x-custom': custom, authorization, host } = request.headers
      seen.push([request.method, request.url, custom, authorization, host, await readBody(request)])
      response.writeHead(418, { 'x-answer': 'yes', 'content-type': 'text/plain' }).end('body')
    })
    const relay = await relayTo(`${upstream}/v1`, 'upstream-secret')
    const headers = { ...authorized, 'x-custom': 'kept', connection: 'x-gone', 'x-gone': '1' }
    const reply = await send(`${relay}/torc-service/v1/jobs?a=%20b`, { method: 'POST', headers, body: '{"a":1}' })
    expect([reply.statusCode, reply.headers['x-answer'], await readBody(reply)]).toEqual([418, 'yes', 'body'])
    const host = new URL(upstream).host
    expect(seen).toEqual([['POST', '/torc-service/v1/jobs?a=%20b', 'kept', 'Bearer upstream-secret', host, '{"a":1}']])
  })

  test("takes its own token as Torc's clients send it, and leaves another proof to the server", async () => {
    const seen: (string | undefined)[] = []
    const upstream = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.end('{}')
    })
    const relay = await relayTo(`${upstream}/v1`, 'upstream-secret')
    const basic = (password: string) => `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`
    for (const authorization of [basic(TOKEN), basic('other'), 'Bearer job-token'])
      await send(`${relay}/v1/ping`, { headers: { authorization } })
    expect(seen).toEqual(['Bearer upstream-secret', basic('other'), 'Bearer job-token'])
  })

  test('refuses what has no proof, and what is not the API', async () => {
    const asked: (string | undefined)[] = []
    const upstream = await serve((request, response) => {
      asked.push(request.url)
      response.end('{}')
    })
    const relay = await relayTo(`${upstream}/v1`)
    expect((await send(`${relay}/v1/ping`)).statusCode).toBe(401)
    const elsewhere = await Promise.all(
      ['/', '/dashboard', '/v1', '/v2/ping', '/../v1/ping'].map(path => send(relay + path, { headers: authorized })),
    )
    expect(elsewhere.map(reply => reply.statusCode)).toEqual([404, 404, 404, 404, 200])
    expect(asked).toEqual(['/v1/ping'])
  })

  test('lets no path lead out of the API by dots, though they are passed on as they are', async () => {
    const asked: (string | undefined)[] = []
    const upstream = await serve((request, response) => {
      asked.push(request.url)
      response.end('{}')
    })
    const { hostname, port } = new URL(await relayTo(`${upstream}/v1`))
    const codes: (number | undefined)[] = []
    for (const path of ['/v1/../other', '/v1/%2e%2e/other', '/torc-service/v1/../../other', '/v1/a/../ping'])
      codes.push(await statusOf({ hostname, port, path, headers: authorized, agent: false }))
    expect(codes).toEqual([404, 404, 404, 200])
    expect(asked).toHaveLength(1)
  })

  test('hands a stream on as it comes, and hangs up when the reader does', async () => {
    const steps: string[] = []
    let write: ((text: string) => void) | undefined
    const upstream = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      write = text => void response.write(text)
      response.on('close', () => steps.push('closed'))
    })
    const relay = await relayTo(`${upstream}/v1`)
    const stop = new AbortController()
    const address = { baseUrl: `${relay}/v1`, token: TOKEN }
    const reading = (async () => {
      for await (const { data } of readEventStream(address, {}, { path: '/s', signal: stop.signal })) steps.push(data)
    })()
    await waitUntil(
      'the stream is open',
      () => write !== undefined,
      isOpen => isOpen,
    )
    for (const data of ['one', 'two']) {
      // Both arrive before the stream has ended.
      write!(`data: ${data}\n\n`)
      await waitUntil(
        `${data} has come`,
        () => steps.at(-1),
        last => last === data,
      )
    }
    stop.abort()
    await reading
    await waitUntil(
      'the relay hangs up',
      () => steps.at(-1),
      last => last === 'closed',
    )
    expect(steps).toEqual(['one', 'two', 'closed'])
  })

  test('answers nothing that the server has not: half a reply is cut off, none is 502', async () => {
    const upstream = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    const relay = await relayTo(`${upstream}/v1`)
    const half = await send(`${relay}/v1/ping`, { headers: authorized })
    await expect(readBody(half)).rejects.toThrow('aborted')
    const gone = await relayTo('http://127.0.0.1:1/v1')
    const none = await clientOf(gone, TOKEN).request('GET', '/ping')
    expect(none).toMatchObject({ ok: false, status: 502, code: 'unavailable' })
  })

  test('carries a body of many megabytes both ways without keeping it', async () => {
    const upstream = await serve((request, response) => void request.pipe(response))
    const relay = await relayTo(`${upstream}/v1`)
    const body = 'x'.repeat(20_000_000)
    const reply = await send(`${relay}/v1/bulk_jobs`, { method: 'POST', headers: authorized, body })
    expect((await readBody(reply)).length).toBe(body.length)
  })
})

describe('a relay beside a real server', () => {
  let directory: string
  let server: Awaited<ReturnType<typeof startServer>>
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'headrace-relay-'))
    server = await startServer({ dbPath: join(directory, 'a.db'), port: 0, durability: 'process', log: () => {} })
  })
  afterEach(async () => {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test("lends nobody the trust of its own user: only the relay's token, or the server's, opens", async () => {
    const relay = await relayTo(`${server.url}/v1`, server.token)
    const ask = async (token: string) => (await clientOf(relay, token).request('GET', '/workflows')).ok
    expect([await ask(TOKEN), await ask(server.token), await ask('wrong-token-of-nobody')]).toEqual([true, true, false])
  })
})

describe('relayToken()', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'headrace-relay-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test('makes a private file once and reads it after', () => {
    const path = join(directory, 'below/relay.token')
    const token = relayToken(path)
    expect(token).toMatch(/^[\w-]{43}$/)
    expect([relayToken(path), readFileSync(path, 'utf8').trim()]).toEqual([token, token])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('refuses a file that others can read, an empty one and none', () => {
    const path = join(directory, 'relay.token')
    expect(() => readRelayToken(path)).toThrow('(ENOENT)')
    writeFileSync(path, 'long-enough-for-a-token\n', { mode: 0o600 })
    chmodSync(path, 0o640)
    expect(() => relayToken(path)).toThrow('chmod 600')
    chmodSync(path, 0o600)
    writeFileSync(path, '')
    expect(() => relayToken(path)).toThrow('16 characters')
  })
})
