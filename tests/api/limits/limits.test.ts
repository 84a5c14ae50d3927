import { afterEach, expect, it } from 'vitest'
import type { AppOptions } from '../../../api/app.ts'
import { DEFAULT_LIMITS } from '../../../api/context.ts'
import { accessApp, as, basic, operator, passwords } from '../../helpers/access.ts'
import type { TestApp } from '../../helpers/app.ts'
import { seedNode, seedWorkflow } from '../../helpers/seed.ts'
import { bearer, seedToken } from '../../helpers/tokens.ts'

let t: TestApp
afterEach(() => t.close())

/** Requests say themselves where they come from. */
const addressOf: AppOptions['addressOf'] = c => c.req.header('test-address')
const from = (address: string, headers: Record<string, string>) => ({ ...headers, 'test-address': address })
const wrong = bearer('wrong')

it('an address that shows wrong credentials too often is told to wait, others are not', async () => {
  t = await accessApp({}, { addressOf, limits: { failures: { burst: 3, perSecond: 0.1 } } })
  const statuses: number[] = []
  for (let k = 0; k < 5; k++) statuses.push((await t.get('/workflows', from('192.0.2.1', wrong))).status)
  expect(statuses).toEqual([401, 401, 401, 429, 429])
  const refused = await t.get('/workflows', from('192.0.2.1', wrong))
  expect(refused.headers.get('retry-after')).toBe('10')
  expect(refused.body.error).toMatchObject({
    error: 'TooManyRequests',
    code: 'too_many_requests',
    retry_after_seconds: 10,
  })
  expect((await t.get('/workflows', from('192.0.2.2', wrong))).status).toBe(401)
})

it('an address that guesses passwords too often learns nothing of them, not even of a right one', async () => {
  t = await accessApp({}, { addressOf, limits: { failures: { burst: 2, perSecond: 0.1 } } })
  const statusOf = async (password: string) =>
    (await t.get('/workflows', from('192.0.2.1', basic('ada', password)))).status
  expect([await statusOf('a'), await statusOf('b'), await statusOf('c')]).toEqual([401, 401, 429])
  expect(await statusOf('pw-ada')).toBe(429)
  t.clock.now += 10_000
  expect(await statusOf('pw-ada')).toBe(200)
})

it('an address behind which somebody guesses shuts out neither tokens nor passwords that were right lately', async () => {
  const remembers = (user: string) => user === 'ada'
  t = await accessApp(
    { passwords: { ...passwords!, remembers } },
    { addressOf, limits: { failures: { burst: 1, perSecond: 0.001 } } },
  )
  const { token } = await seedToken(t, { scopes: ['read'] })
  await t.get('/workflows', from('192.0.2.1', wrong))
  expect((await t.get('/workflows', from('192.0.2.1', wrong))).status).toBe(429)
  for (const right of [bearer(token), operator, as('ada')])
    expect((await t.get('/workflows', from('192.0.2.1', right))).status).toBe(200)
  expect((await t.get('/workflows', from('192.0.2.1', as('ben')))).status).toBe(429)
})

it('clients to which 429 is final are told 503, with the same Retry-After', async () => {
  t = await accessApp({}, { addressOf, limits: { failures: { burst: 1, perSecond: 0.1 } } })
  await t.get('/workflows', from('192.0.2.1', wrong))
  for (const agent of ['OpenAPI-Generator/v0.7.0/rust', 'OpenAPI-Generator/0.23.0/python']) {
    const { status, headers, body } = await t.get('/workflows', from('192.0.2.1', { ...wrong, 'user-agent': agent }))
    expect([status, headers.get('retry-after'), body.error.code]).toEqual([503, '10', 'too_many_requests'])
  }
})

it('a token that writes too fast is told to wait; its reads, its heartbeats and other tokens go on', async () => {
  t = await accessApp({ enforce: false }, { limits: { tokenWrites: { burst: 2, perSecond: 1 } } })
  const workflow = await seedWorkflow({ ...t, post: (path, body) => t.post(path, body, operator) })
  const node = await seedNode({ ...t, post: (path, body) => t.post(path, body, operator) }, workflow)
  const busy = bearer((await seedToken(t, { scopes: ['write', 'claim'] })).token)
  const other = bearer((await seedToken(t, { scopes: ['write', 'claim'] })).token)
  const write = (headers: Record<string, string>) =>
    t.post('/jobs', { workflow_id: workflow, name: 'j', command: 'true' }, headers)
  expect([(await write(busy)).status, (await write(busy)).status]).toEqual([200, 200])
  const refused = await write(busy)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  expect((await t.get(`/workflows/${workflow}`, busy)).status).toBe(200)
  expect((await t.post(`/compute_nodes/${node}/heartbeat`, { claims: [] }, busy)).status).toBe(200)
  expect((await t.post('/claims/heartbeat', { claims: [] }, busy)).status).toBe(200)
  expect((await write(other)).status).toBe(200)
  for (let k = 0; k < 5; k++) expect((await write(operator)).status).toBe(200)
  t.clock.now += 1_000
  expect((await write(busy)).status).toBe(200)
})

it('writes are refused with 503 and Retry-After while too many wait for the database; reads go on', async () => {
  t = await accessApp({ enforce: false }, { limits: { waitingWrites: 3 } })
  const workflow = await seedWorkflow({ ...t, post: (path, body) => t.post(path, body, operator) })
  const { write } = t.db
  let letGo = () => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  t.db.write = async unit => {
    await held
    return write(unit)
  }
  const job = { workflow_id: workflow, name: 'j', command: 'true' }
  const waiting = Array.from({ length: 3 }, () => t.post('/jobs', job, operator))
  await new Promise(resolve => setTimeout(resolve, 50))
  const refused = await t.post('/jobs', job, operator)
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect((await t.get(`/workflows/${workflow}`, operator)).status).toBe(200)
  letGo()
  expect((await Promise.all(waiting)).map(reply => reply.status)).toEqual([200, 200, 200])
  expect((await t.post('/jobs', job, operator)).status).toBe(200)
})

it('event streams are limited in all and per caller, and free their place when they end', async () => {
  t = await accessApp({ enforce: false }, { limits: { streams: { inAll: 3, each: 2 } } })
  const workflow = await seedWorkflow({ ...t, post: (path, body) => t.post(path, body, operator) })
  const one = bearer((await seedToken(t, { scopes: ['read'] })).token)
  const other = bearer((await seedToken(t, { scopes: ['read'] })).token)
  const listen = (headers: Record<string, string>) =>
    t.app.request(`/v1/workflows/${workflow}/events/stream`, { headers })
  const open = [await listen(one), await listen(one)]
  expect(open.map(reply => reply.status)).toEqual([200, 200])
  const refused = await listen(one)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
  open.push(await listen(other))
  expect(open[2]!.status).toBe(200)
  expect((await listen(other)).status).toBe(429)
  for (const reply of open) await reply.body!.cancel()
  const again = await waitForStatus(() => listen(one), 200)
  await again.body!.cancel()
})

async function waitForStatus(ask: () => Promise<Response> | Response, wanted: number): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const reply = await ask()
    if (reply.status === wanted || tries === 100) {
      expect(reply.status).toBe(wanted)
      return reply
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

it('an event stream ends when its token is revoked', async () => {
  t = await accessApp({ enforce: false })
  const workflow = await seedWorkflow({ ...t, post: (path, body) => t.post(path, body, operator) })
  const { id, token } = await seedToken(t, { scopes: ['read'] })
  const reply = await t.app.request(`/v1/workflows/${workflow}/events/stream?types=all`, { headers: bearer(token) })
  await t.del(`/tokens/${id}`, operator)
  t.clock.now += 60_000
  await t.post(`/workflows/${workflow}/initialize_jobs`, undefined, operator)
  // Nothing that happened after the revocation is in it.
  expect(await reply.text()).toBe(': open\n\n')
})

it('the limits of bodies hold for tokens as for anybody', async () => {
  t = await accessApp({ enforce: false }, { limits: { bodyBytes: 100 } })
  const { token } = await seedToken(t, { scopes: ['write'] })
  const long = { workflow_id: 1, name: 'x'.repeat(200), command: 'true' }
  expect((await t.post('/jobs', long, bearer(token))).status).toBe(413)
  expect(DEFAULT_LIMITS).toMatchObject({ bodyBytes: 2 * 2 ** 20, bulkBodyBytes: 200 * 2 ** 20 })
})

it('a batch of completions has 100,000 entries at most', async () => {
  t = await accessApp({ enforce: false })
  const long = Array(100_001).fill({ job_id: 1, claim_token: 'x' })
  const { body: workflow } = await t.post('/workflows', { name: 'w', user: 'u' }, operator)
  const path = `/workflows/${workflow.id}/batch_complete_jobs`
  for (const [body, field] of [
    [{ completions: long }, 'completions'],
    [{ completions: [], started: long.map(entry => ({ ...entry, start_time: 1 })) }, 'started'],
  ] as const) {
    const { status, body: refusal } = await t.post(path, body, operator)
    expect([status, refusal.error.field]).toEqual([422, field])
    expect(refusal.error.message).toContain('100000 entries at most')
  }
})
