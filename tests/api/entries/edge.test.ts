import { expect, it } from 'vitest'
import { createEdge } from '../../../api/entries/edge.ts'
import { openRemote } from '../../../db/open-remote.ts'
import { run } from '../../../db/unit.ts'
import { resultOf } from '../../helpers/seed.ts'
import { startSqld } from '../../helpers/sqld.ts'

const OPTIONS = { version: '0.0.0-test', requestsApart: true, createPost: () => async () => 204 }
const TOKEN = 'edge-token'

const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }

const ask = (path: string, init: RequestInit = {}) =>
  new Request(`http://edge/v1${path}`, { headers: HEADERS, ...init })

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

it('createEdge() tells webhooks what happened when it is asked to, at the hosts of its settings', async () => {
  const sqld = await startSqld()
  try {
    const posted: string[] = []
    const createPost = () => async (url: string) => {
      posted.push(url)
      return 204
    }
    const env = { HEADRACE_DB_URL: sqld.url, HEADRACE_TOKEN: TOKEN, HEADRACE_WEBHOOK_HOSTS: 'Hooks.example.org, b.org' }
    const edge = createEdge(env, { ...OPTIONS, createPost })
    const send = async (path: string, body: object) => {
      const response = await edge.fetch(ask(path, { method: 'POST', body: JSON.stringify(body) }))
      return { status: response.status, body: (await response.json()) as Record<string, number> }
    }
    const spec = { name: 'w', jobs: [{ name: 'a', command: 'true' }] }
    const workflow = (await send('/workflows/from_spec?file_name=w.json&start=true', spec)).body.workflow_id!
    const node = { workflow_id: workflow, hostname: 'n', pid: 1, start_time: '2026-01-01T00:00:00Z', num_cpus: 1 }
    const kind = { memory_gb: 1, num_gpus: 0, num_nodes: 1, compute_node_type: 'local' }
    const nodeId = (await send('/compute_nodes', { ...node, ...kind })).body.id!
    const list = await edge.fetch(ask(`/jobs?workflow_id=${workflow}`))
    const [job] = ((await list.json()) as { items: { id: number }[] }).items

    expect((await send(`/workflows/${workflow}/webhooks`, { url: 'https://hooks.example.org/x' })).status).toBe(200)
    expect((await send(`/workflows/${workflow}/webhooks`, { url: 'https://c.org/x' })).status).toBe(422)
    await edge.deliver()
    expect(posted).toEqual([])
    await send(`/jobs/${job!.id}/complete_job/completed/0`, resultOf(workflow, job!.id, nodeId))
    await edge.deliver()
    expect(posted).toEqual(['https://hooks.example.org/x'])
  } finally {
    await sqld.stop()
  }
})
