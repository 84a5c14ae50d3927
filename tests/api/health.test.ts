import { afterEach, expect, it } from 'vitest'
import { accessApp, operator } from '../helpers/access.ts'
import type { TestApp } from '../helpers/app.ts'

let t: TestApp
afterEach(() => t.close())

const statusOf = async (path: string) => (await t.app.request(path)).status

it('GET /healthz and /readyz answer without credentials, and tell nothing but that', async () => {
  t = await accessApp({ requireAuth: true })
  for (const path of ['/healthz', '/readyz']) {
    const reply = await t.app.request(path)
    expect([reply.status, Object.keys((await reply.json()) as object)]).toEqual([200, ['status']])
    expect(reply.headers.get('x-headrace-epoch')).toBeNull()
  }
  expect(await statusOf('/v1/ping')).toBe(401)
})

it('GET /readyz says 503 while the database does not answer and once the server is about to stop; /healthz does not', async () => {
  const stopping = new AbortController()
  t = await accessApp({}, { stopping: stopping.signal })
  const { read } = t.db
  t.db.read = async () => {
    throw new Error('gone')
  }
  expect([await statusOf('/readyz'), await statusOf('/healthz')]).toEqual([503, 200])
  t.db.read = read
  expect(await statusOf('/readyz')).toBe(200)
  stopping.abort()
  expect([await statusOf('/readyz'), await statusOf('/healthz')]).toEqual([503, 200])
})

it('replies forbid pages to do anything with them, and no other site gets at one', async () => {
  t = await accessApp()
  const { headers } = await t.get('/workflows', { ...operator, origin: 'https://elsewhere.example' })
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-frame-options')).toBe('DENY')
  expect([...headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
  const asked = await t.app.request('/v1/workflows', {
    method: 'OPTIONS',
    headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST', ...operator },
  })
  expect(asked.status).toBe(405)
  expect([...asked.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
})

it('X-Span-ID is what the caller calls the request if that can stand in a log, else one made up', async () => {
  t = await accessApp()
  const spanFor = async (given: string) =>
    (await t.get('/workflows', { ...operator, 'x-span-id': given })).headers.get('x-span-id')
  expect(await spanFor('run-7/claim:3')).toBe('run-7/claim:3')
  for (const bad of ['a b', 'x'.repeat(129), '{"level":"error"}', '<b>']) {
    const span = await spanFor(bad)
    expect(span).not.toBe(bad)
    expect(span).toMatch(/^[\w-]{36}$/)
  }
})
