import { expect, it } from 'vitest'
import { createEdge } from '../../../api/entries/edge.ts'
import { openRemote } from '../../../db/open-remote.ts'
import { run } from '../../../db/unit.ts'
import { startSqld } from '../../helpers/sqld.ts'

const OPTIONS = { version: '0.0.0-test', requestsApart: true }
const TOKEN = 'edge-token'

const ask = (path: string, init: RequestInit = {}) =>
  new Request(`http://edge/v1${path}`, { headers: { authorization: `Bearer ${TOKEN}` }, ...init })

it.each([
  ['HEADRACE_DB_URL', { HEADRACE_TOKEN: TOKEN }],
  ['HEADRACE_DB_URL', { HEADRACE_DB_URL: 'headrace.db', HEADRACE_TOKEN: TOKEN }],
  ['HEADRACE_TOKEN', { HEADRACE_DB_URL: 'http://127.0.0.1:9' }],
])('createEdge() tells in every reply that %s is missing, and lets nobody in', async (name, env) => {
  const edge = createEdge(env, OPTIONS)
  const response = await edge.fetch(ask('/workflows'))
  expect(response.status).toBe(503)
  expect(await response.text()).toContain(name)
  await expect(edge.tick()).rejects.toThrow(name)
})

it('createEdge() answers 503 while the database server is away', async () => {
  const edge = createEdge({ HEADRACE_DB_URL: 'http://127.0.0.1:9', HEADRACE_TOKEN: TOKEN }, OPTIONS)
  expect((await edge.fetch(ask('/workflows'))).status).toBe(503)
})

it('createEdge() makes the schema once when many instances get their first requests together', async () => {
  const sqld = await startSqld()
  try {
    const env = { HEADRACE_DB_URL: sqld.url, HEADRACE_TOKEN: TOKEN }
    const edges = Array.from({ length: 8 }, () => createEdge(env, OPTIONS))
    const replies = await Promise.all(edges.map(edge => edge.fetch(ask('/workflows'))))
    expect(replies.map(reply => reply.status)).toEqual(Array(8).fill(200))
    const epochs = new Set(replies.map(reply => reply.headers.get('x-headrace-epoch')))
    expect(epochs.size).toBe(1)
    expect((await edges[0]!.fetch(new Request('http://edge/v1/workflows'))).status).toBe(401)
    await edges[0]!.tick()
  } finally {
    await sqld.stop()
  }
})

it('createEdge() leaves a database alone that a newer program has made', async () => {
  const sqld = await startSqld()
  try {
    const env = { HEADRACE_DB_URL: sqld.url, HEADRACE_TOKEN: TOKEN }
    await createEdge(env, OPTIONS).fetch(ask('/workflows'))
    const db = openRemote({ url: sqld.url })
    await db.write(() => run(`INSERT INTO headrace_migration VALUES (9999, 'later', 0)`))
    const response = await createEdge(env, OPTIONS).fetch(ask('/workflows'))
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('newer')
  } finally {
    await sqld.stop()
  }
})
