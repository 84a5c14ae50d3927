import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { openTestDb } from '../helpers/back-end.ts'
import { seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp({ limits: { bodyBytes: 2_000, bulkBodyBytes: 4_000 } })
})
afterAll(() => t.close())

it('createApp() serves the same operations below both base paths', async () => {
  for (const base of ['/torc-service/v1', '/v1']) {
    const response = await t.app.request(`${base}/ping`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({ status: 'ok' })
  }
})

it('createApp() sends its headers with every reply, errors included, and echoes X-Span-ID', async () => {
  const epochs = new Set<string | null>()
  for (const path of ['/ping', '/nothing', '/workflows/x', '/workflows/99']) {
    const { headers } = await t.get(path, { 'x-span-id': 'span-7' })
    expect(headers.get('x-span-id')).toBe('span-7')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    epochs.add(headers.get('x-headrace-epoch'))
  }
  expect(epochs.size).toBe(1)
  expect([...epochs][0]).toMatch(/^[0-9a-f]{32}$/)
  expect((await t.get('/ping')).headers.get('x-span-id')).toMatch(/.{8,}/)
})

it('createApp() gives each database its own epoch', async () => {
  const [first, other] = [await testApp({}, openTestDb), await testApp({}, openTestDb)]
  const [one, two] = [await first.get('/ping'), await other.get('/ping')]
  expect(one.headers.get('x-headrace-epoch')).not.toBe(two.headers.get('x-headrace-epoch'))
  await first.close()
  await other.close()
})

it('createApp() answers 404 for an unknown path and 405 for a known one with another method', async () => {
  for (const path of ['/nothing', '/files/', '//files', '/workflows/1/nothing']) {
    expect((await t.get(path)).status, path).toBe(404)
  }
  for (const [method, path] of [
    ['PUT', '/ping'],
    ['DELETE', '/workflows'],
    ['OPTIONS', '/workflows'],
    ['PATCH', '/jobs/1'],
    ['GET', '/bulk_jobs'],
  ] as const) {
    const response = await t.app.request(`/v1${path}`, { method })
    expect(response.status, `${method} ${path}`).toBe(405)
    expect(((await response.json()) as { error: { error: string } }).error.error).toBe('MethodNotAllowed')
  }
})

it('createApp() answers HEAD where GET works', async () => {
  const response = await t.app.request('/v1/ping', { method: 'HEAD' })
  expect(response.status).toBe(200)
})

it('GET / is a page', async () => {
  const response = await t.app.request('/')
  expect(response.headers.get('content-type')).toContain('text/html')
})

it('pathInteger() and readQuery() end with 400 on what they cannot read', async () => {
  const id = await seedWorkflow(t)
  const bad = [
    '/workflows/x',
    '/workflows/1.5',
    '/files',
    `/files?workflow_id=${id}&limit=`,
    `/files?workflow_id=${id}&limit=ten`,
    `/files?workflow_id=${id}&reverse_sort=yes`,
    `/files?workflow_id=${id}&workflow_id=${id}`,
    `/jobs?workflow_id=${id}&status=finished`,
  ]
  for (const path of bad) expect((await t.get(path)).status, path).toBe(400)
  expect((await t.put(`/jobs/1/manage_status_change/finished/0`)).status).toBe(400)
})

it('readQuery() ignores unknown parameters and empty texts', async () => {
  const id = await seedWorkflow(t)
  const { status, body } = await t.get(`/files?workflow_id=${id}&sort_by=&name=&whatever=1`)
  expect(status).toBe(200)
  expect(body.total_count).toBe(0)
})

async function send(path: string, text: string, headers: Record<string, string>): Promise<Response> {
  return t.app.request(`/v1${path}`, { method: 'POST', body: text, headers })
}

const JSON_TYPE = { 'content-type': 'application/json' }

it('readBody() ends with 400 on broken JSON, 415 on another type, 422 on a wrong field', async () => {
  const cases: [string, Record<string, string>, number][] = [
    ['{"name":', JSON_TYPE, 400],
    ['', JSON_TYPE, 400],
    ['{"name":"w","user":"u"}', {}, 415],
    ['{"name":"w","user":"u"}', { 'content-type': 'text/plain' }, 415],
    ['{"name":"w","user":"u"}', { 'content-type': 'application/json; charset=utf-8' }, 200],
    ['{"name":"w","user":"u"}', { 'content-type': 'application/merge-patch+json' }, 200],
    ['{"name":"w"}', JSON_TYPE, 422],
    ['{"name":1,"user":"u"}', JSON_TYPE, 422],
    ['[]', JSON_TYPE, 422],
    ['null', JSON_TYPE, 422],
    ['{"name":"a\\u0000b","user":"u"}', JSON_TYPE, 422],
    ['{"name":"a\\\\u0000b","user":"u"}', JSON_TYPE, 200],
    ['{"name":"a\\ud83d","user":"u"}', JSON_TYPE, 422],
    ['{"name":"\\uDC00\\uD800","user":"u"}', JSON_TYPE, 422],
    ['{"name":"\\ud83d\\ud83d\\ude00","user":"u"}', JSON_TYPE, 422],
    ['{"name":"\\ud83d\\uDE00\\\\ud83d","user":"u"}', JSON_TYPE, 200],
  ]
  for (const [text, headers, status] of cases)
    expect((await send('/workflows', text, headers)).status, text).toBe(status)
})

it('readBody() names the field and does not repeat the value', async () => {
  const { body } = await t.post('/workflows', { name: { secret: 'timeout' }, user: 'u' })
  expect(body.error).toMatchObject({ code: 'invalid', error: 'UnprocessableEntity', field: 'name' })
  expect(body.error.message).not.toContain('timeout')
  const { body: nested } = await t.post('/bulk_jobs', { jobs: [{ workflow_id: 1, name: 'a', command: 3 }] })
  expect(nested.error.field).toBe('jobs.0.command')
})

it('readBody() ignores unknown fields and takes null for absence', async () => {
  const { status, body } = await t.post('/workflows', {
    name: 'w',
    user: 'u',
    description: null,
    env: null,
    surprise: [1],
  })
  expect(status).toBe(200)
  expect(body).not.toHaveProperty('description')
  expect(body).not.toHaveProperty('surprise')
})

it('limitBodies() ends with 413, by header or while reading, later for operations that carry lists', async () => {
  const long = JSON.stringify({ name: 'x'.repeat(3_000), user: 'u' })
  expect((await send('/workflows', long, { ...JSON_TYPE, 'content-length': String(long.length) })).status).toBe(413)
  expect((await send('/workflows', long, JSON_TYPE)).status).toBe(413)
  const id = await seedWorkflow(t)
  const bulk = { jobs: [{ workflow_id: id, name: 'j', command: 'x'.repeat(3_000) }] }
  expect((await t.post('/bulk_jobs', bulk)).status).toBe(200)
  bulk.jobs[0]!.command = 'x'.repeat(5_000)
  expect((await t.post('/bulk_jobs', bulk)).status).toBe(413)
  const padding = 'x'.repeat(3_000)
  const own = { workflow_id: id, name: 'n', path: 'p', timestamp: 1, data: 1, padding }
  for (const [path, body] of [
    ['/user_data', own],
    ['/events', own],
    ['/bulk_files', { files: [own] }],
    ['/bulk_user_data', { user_data: [own] }],
    [`/workflows/${id}/batch_complete_jobs`, { completions: [], padding }],
  ] as const)
    expect((await t.post(path, body)).status, path).toBe(200)
})

it('limitBodies() lets go of a connection whose body it has not read to its end', async () => {
  const long = JSON.stringify({ name: 'x'.repeat(3_000), user: 'u' })
  expect((await send('/workflows', long, JSON_TYPE)).headers.get('connection')).toBe('close')
})

it('onError() keeps the words that make old runners repeat a request out of 4xx replies', async () => {
  const id = await seedWorkflow(t)
  const { body: job } = await t.post('/jobs', {
    workflow_id: id,
    name: 'database is locked',
    command: 'network timeout',
  })
  const replies = [
    await t.put(`/jobs/${job.id}/start_job/0/99`),
    await t.put(`/jobs/${job.id}/start_job/7/99`),
    await t.post(`/jobs/${job.id}/retry/0?max_retries=3`),
    await t.put(`/jobs/${job.id}/manage_status_change/completed/0`),
    await t.get('/files/99'),
    await t.get('/resource_requirements/99'),
    await t.post(`/workflows/${id}/actions/99/claim`, {}),
    await t.post('/workflows', []),
    await t.get('/nothing'),
  ]
  for (const { status, body } of replies) {
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect(JSON.stringify(body)).not.toMatch(/connection|timeout|network|dns|resolve|unreachable|locked|busy/i)
  }
})

it('createApp() answers OPTIONS with 405, sends no CORS headers, and takes paths to the letter', async () => {
  const id = await seedWorkflow(t)
  const options = await t.app.request('/v1/workflows', { method: 'OPTIONS', headers: { origin: 'http://elsewhere' } })
  expect(options.status).toBe(405)
  expect([...options.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
  for (const path of ['/v1/workflows/', '/v1//workflows', `/v1/workflows/${id}/`, '/v2/workflows', '/torc-service/v1/'])
    expect((await t.app.request(path)).status, path).toBe(404)
})

it('operations without a body ignore the one that older clients send', async () => {
  const id = await seedWorkflow(t)
  const garbage = { body: 'this is no JSON', headers: { 'content-type': 'text/plain' } }
  for (const [method, path] of [
    ['POST', `/workflows/${id}/initialize_jobs`],
    ['POST', `/workflows/${id}/reset_status`],
    ['POST', `/workflows/${id}/reset_job_status`],
    ['PUT', `/workflows/${id}/cancel`],
    ['DELETE', `/jobs?workflow_id=${id}`],
    ['DELETE', `/workflows/${id}`],
  ]) {
    expect((await t.app.request(`/v1${path}`, { method, ...garbage })).status, path).toBe(200)
  }
})
