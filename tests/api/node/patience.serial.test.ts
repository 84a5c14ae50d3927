import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../../api/node.ts'
import { sendRaw } from '../../helpers/raw-http.ts'

const PATIENCE = { headersMs: 400, bodyMs: 400, requestMs: 1_000, readerMs: 1_000, keepAliveMs: 600 }
/** Well above what the server waits, well below what it would without. */
const LONG_MS = 8_000

let server: RunningServer
beforeAll(async () => {
  server = await startServer({ dbPath: ':memory:', durability: 'process', patience: PATIENCE, log: () => {} })
})
afterAll(() => server.close())

const post = (length: number) =>
  `POST /v1/workflows HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

it('limitPatience() closes a connection that never finishes its headers', async () => {
  for (const parts of [[], ['GET /v1/ping HTTP/1.1\r\nHost: x\r\nX-A: '], ['GET /v1/ping HT']]) {
    const { closed, statuses } = await sendRaw(server.port, parts, LONG_MS)
    expect(closed).toBe(true)
    expect(statuses.every(status => status === 408)).toBe(true)
  }
})

it('limitPatience() closes a connection that sends its headers byte by byte for ever', async () => {
  const drips = Array.from({ length: 40 }, (_, k) => [`X-${k}: a\r\n`, { pauseMs: 100 }]).flat()
  const { closed } = await sendRaw(server.port, ['GET /v1/ping HTTP/1.1\r\nHost: x\r\n', ...drips], LONG_MS)
  expect(closed).toBe(true)
})

it('limitPatience() closes a connection whose body does not go on', async () => {
  const { closed, statuses } = await sendRaw(server.port, [post(100), '{"name"'], LONG_MS)
  expect([closed, statuses]).toEqual([true, []])
})

it('limitPatience() closes a connection whose body drips for longer than any request may take', async () => {
  const drips = Array.from({ length: 60 }, () => [' ', { pauseMs: 100 }]).flat()
  const { closed } = await sendRaw(server.port, [post(1_000), ...drips], LONG_MS)
  expect(closed).toBe(true)
})

it('limitPatience() lets a body take its pauses, and an idle connection its time', async () => {
  const body = JSON.stringify({ name: 'w', user: 'u' })
  const ping = 'GET /v1/ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
  const slowly = [...body].flatMap(char => [char, { pauseMs: 5 }])
  const { statuses } = await sendRaw(
    server.port,
    [post(body.length), ...slowly, { pauseMs: 300 }, ping, { pauseMs: 300 }, ping],
    LONG_MS,
  )
  expect(statuses).toEqual([200, 200, 200])
})

it('limitPatience() leaves an open event stream alone, whose comments come less often than a reader may stall', async () => {
  const made = await fetch(`${server.url}/v1/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"w","user":"u"}',
  })
  const { id } = (await made.json()) as { id: number }
  const stream = `GET /v1/workflows/${id}/events/stream?types=all HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
  const open = sendRaw(server.port, [stream], 900)
  expect((await open).text).toContain(': open')
  expect((await open).closed).toBe(false)
})
