import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../../api/node.ts'
import { sendRaw } from '../../helpers/raw-http.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer({
    dbPath: ':memory:',
    durability: 'process',
    token: 'token-of-the-operator',
    access: { enforce: true },
    log: line => {
      throw new Error(line)
    },
  })
})
afterAll(() => server.close())

const HEAD = 'Host: 127.0.0.1\r\nAuthorization: Bearer token-of-the-operator\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'
const SMUGGLED = 'GET /v1/workflows HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

it.each([
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ['a length and chunks', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  [
    'chunks named with a blank before the colon',
    `Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['chunks by another name', `Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`],
  ['chunks last but one', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['a length that is no number', `Content-Length: +0\r\n\r\n${SMUGGLED}`],
  ['a folded header', `X-A: b\r\n Content-Length: 50\r\n\r\n${SMUGGLED}`],
  ['a bare line feed', `X-A: b\nContent-Length: 0\r\n\r\n${SMUGGLED}`],
])('S97 a request with %s is refused, and no second one is read out of it', async (_, rest) => {
  const { statuses } = await sendRaw(server.port, [`POST /v1/workflows HTTP/1.1\r\n${HEAD}${JSON_TYPE}${rest}`], 1_000)
  expect(statuses[0]).toBe(400)
  expect(statuses).toHaveLength(1)
})

it.each([
  ['headers of 20 kB', `GET /v1/ping HTTP/1.1\r\n${HEAD}Connection: close\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['a path of 20 kB', `GET /v1/${'a'.repeat(20_000)} HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, 431],
  ['no host', 'GET /v1/ping HTTP/1.1\r\n\r\n', 400],
  ['a path above the root', `GET /v1/../../etc/passwd HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, 404],
  [
    'an encoded path above the root',
    `GET /v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`,
    404,
  ],
  ['a path with two slashes', `GET //v1//workflows HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, 404],
  ['a path with a NUL', `GET /v1/workflows%00 HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, 404],
  ['a broken escape', `GET /v1/jobs/%zz HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`, 400],
  [
    'the form of proxies',
    `GET http://elsewhere.example/v1/workflows HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`,
    200,
  ],
  [
    'a length beyond what is taken',
    `POST /v1/workflows HTTP/1.1\r\n${HEAD}Connection: close\r\n${JSON_TYPE}Content-Length: 999999999999\r\n\r\n`,
    413,
  ],
  [
    'chunks beyond what is taken',
    `POST /v1/workflows HTTP/1.1\r\n${HEAD}Connection: close\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n300000\r\n${'a'.repeat(0x300000)}\r\n0\r\n\r\n`,
    413,
  ],
])('S97 %s: an answer, and no fault', async (_, request, status) => {
  const { statuses } = await sendRaw(server.port, [request], 1_500)
  expect(statuses[0]).toBe(status)
})

it('S97 whatever bytes come, the answer is no 5xx, and the server goes on', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      ...['GET', 'POST', 'PUT', 'DELETE', '\0', 'PRI * HTTP/2.0'],
      HEAD,
      JSON_TYPE,
      ' HTTP/1.1\r\n',
      '\r\n\r\n',
    ),
    fc.constantFrom(
      '/v1/workflows',
      ' /v1/jobs?workflow_id=1',
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
      '\r\n',
      '{}',
    ),
    fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes).toString('latin1')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async lines => {
      const { statuses } = await sendRaw(server.port, [Buffer.from(lines.join(''), 'latin1')], 30)
      for (const status of statuses) expect(status).toBeLessThan(500)
    }),
    { numRuns: 60 },
  )
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})
