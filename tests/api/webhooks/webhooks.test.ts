import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPost } from '../../../api/node/webhooks/post.ts'
import { isPublicAddress } from '../../../api/node/webhooks/public-address.ts'
import { deliverWebhooks, type Post } from '../../../api/webhooks/deliver.ts'
import { refusalOfUrl } from '../../../api/webhooks/policy.ts'
import { appendEvents } from '../../../db/stream-events.ts'
import { accessApp, actingAs, as } from '../../helpers/access.ts'
import { type TestApp, testApp } from '../../helpers/app.ts'
import { completionOf } from '../../helpers/completion.ts'
import { graphOf, type Started, startWorkflow, workflowOf } from '../../helpers/workflow.ts'

const POLICY = { hosts: ['hooks.example.org', '*.lab.example.org'], insideNetwork: false }
const URL_OF_HOOK = 'https://hooks.example.org/jobs'
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

type Told = { type: string; job?: { id: number; name: string }; data: Record<string, unknown> }
type Delivery = {
  url: string
  headers: Record<string, string>
  body: { workflow_id: number; events: Told[] }
  text: string
}

let t: TestApp
let started: Started
let delivered: Delivery[]
let answer: () => number
beforeEach(async () => {
  t = await testApp({ webhooks: POLICY })
  started = await startWorkflow(t, workflowOf(graphOf([[], [0]])))
  delivered = []
  answer = () => 204
})
afterEach(() => t.close())

const post: Post = async (url, headers, text) => {
  delivered.push({ url, headers, body: JSON.parse(text), text })
  return answer()
}
const deliver = () => deliverWebhooks({ db: t.db, clock: () => t.clock.now, post, policy: POLICY })
const typesTold = () => delivered.map(({ body }) => body.events.map(({ type }) => type))

const create = (body: object = {}) =>
  t.post(`/workflows/${started.workflowId}/webhooks`, { url: URL_OF_HOOK, secret: SECRET, ...body })

async function completeIn(of: Started, ...jobs: number[]): Promise<void> {
  await t.post(`/workflows/${of.workflowId}/batch_complete_jobs`, {
    completions: jobs.map(index => completionOf(of, of.jobs[index]!)),
  })
}
const complete = (...jobs: number[]): Promise<void> => completeIn(started, ...jobs)

/** Another workflow, whose only job has ended. */
async function endAnother(): Promise<number> {
  const other = await startWorkflow(t, workflowOf(graphOf([[]])))
  await completeIn(other, 0)
  return other.workflowId
}

describe('deliverWebhooks()', () => {
  it('tells what happens after the hook was made, in order, and once; then that the workflow has ended', async () => {
    await complete(0)
    await create()
    await deliver()
    expect(delivered).toEqual([])
    await complete(1)
    await deliver()
    expect(typesTold()).toEqual([['job_completed', 'workflow_ended']])
    const [told, end] = delivered[0]!.body.events
    expect(told!.job!.id).toBe(started.jobs[1])
    expect(end!.data).toEqual({ run_id: 0, all_completed: true, jobs: { completed: 2 } })
    await deliver()
    expect(delivered).toHaveLength(1)
  })

  it('tells only the types a hook asks for', async () => {
    await create({ events: ['workflow_ended'] })
    await complete(0)
    await deliver()
    expect(delivered).toEqual([])
    await complete(1)
    await deliver()
    expect(typesTold()).toEqual([['workflow_ended']])
  })

  it('signs as Standard Webhooks says', async () => {
    await create()
    await complete(0)
    await deliver()
    const { headers, text } = delivered[0]!
    const signed = createHmac('sha256', Buffer.alloc(24, 7))
      .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`)
      .digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${signed}`)
    expect(Number(headers['webhook-timestamp'])).toBe(Math.floor(t.clock.now / 1000))
  })

  it('tries again after growing pauses under the same id, and forgets the trouble once it arrives', async () => {
    const { body: hook } = await create()
    await complete(0)
    answer = () => 500
    const pauses: number[] = []
    for (let round = 0; round < 4; round++) {
      const before = t.clock.now
      const tries = delivered.length
      while (delivered.length === tries) {
        t.clock.now += 1_000
        await deliver()
      }
      pauses.push(t.clock.now - before)
    }
    expect(pauses.slice(1).every((pause, index) => pause > pauses[index]!)).toBe(true)
    expect(new Set(delivered.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    const { body: failing } = await t.get(`/workflows/${started.workflowId}/webhooks`)
    expect(failing.items[0]).toMatchObject({ id: hook.id, failures: 4, last_error: 'The receiver answered 500' })
    answer = () => 200
    t.clock.now += 3_600_000
    await deliver()
    const { body: fine } = await t.get(`/workflows/${started.workflowId}/webhooks`)
    expect(fine.items[0]).toMatchObject({ failures: 0, is_enabled: true })
    expect(fine.items[0]).not.toHaveProperty('last_error')
  })

  it('sends what did not arrive again as it was, whatever has happened since, and that afterwards', async () => {
    await create()
    await complete(0)
    answer = () => 500
    await deliver()
    await complete(1)
    t.clock.now += 60_000
    await deliver()
    answer = () => 204
    t.clock.now += 60_000
    await deliver()
    const [first, again, third, rest] = delivered
    expect([again!.text, third!.text]).toEqual([first!.text, first!.text])
    expect(new Set([first, again, third].map(told => told!.headers['webhook-id'])).size).toBe(1)
    expect(rest!.body.events.map(({ type }) => type)).toEqual(['job_completed', 'workflow_ended'])
    expect(rest!.headers['webhook-id']).not.toBe(first!.headers['webhook-id'])
  })

  it('tells the end of a workflow with the same time in each try', async () => {
    await create({ events: ['workflow_ended'] })
    await complete(0, 1)
    for (const status of [500, 503, 204]) {
      answer = () => status
      await deliver()
      t.clock.now += 60_000
    }
    expect(delivered).toHaveLength(3)
    expect(new Set(delivered.map(({ text }) => text)).size).toBe(1)
  })

  it('is patient again with a receiver that took one delivery after days of silence', async () => {
    const { body: hook } = await create()
    await complete(0)
    answer = () => 500
    await deliver()
    await complete(1)
    t.clock.now += 4 * 86_400_000
    answer = () => (delivered.length === 2 ? 204 : 500)
    await deliver()
    expect(delivered).toHaveLength(3)
    const { body } = await t.get(`/workflows/${started.workflowId}/webhooks`)
    expect(body.items[0]).toMatchObject({ id: hook.id, failures: 1, is_enabled: true })
  })

  it('goes on when the workflow is gone whose delivery did not arrive', async () => {
    await t.post('/webhooks', { url: URL_OF_HOOK, events: ['job_completed'] })
    await complete(0)
    answer = () => 500
    await deliver()
    await t.del(`/workflows/${started.workflowId}`)
    const other = await endAnother()
    answer = () => 204
    t.clock.now += 60_000
    await deliver()
    expect(delivered.map(({ body }) => body.workflow_id)).toEqual([started.workflowId, started.workflowId, other])
  })

  it('gives up a receiver that fails for days, until somebody enables the hook: then it is told all of it', async () => {
    const { body: hook } = await create({ events: ['job_completed'] })
    await complete(0)
    answer = () => 500
    for (let hour = 0; hour < 24 * 4; hour++) {
      await deliver()
      t.clock.now += 2 * 3_600_000
    }
    const tries = delivered.length
    await deliver()
    expect(delivered).toHaveLength(tries)
    answer = () => 200
    await complete(1)
    const { body: enabled } = await t.post(`/workflows/${started.workflowId}/webhooks/${hook.id}/enable`, {})
    expect(enabled).toMatchObject({ is_enabled: true, failures: 0 })
    await deliver()
    expect(typesTold().slice(tries).flat()).toEqual(['job_completed', 'job_completed'])
  })

  it('is done by one of two servers on a database', async () => {
    await create()
    await complete(0)
    await Promise.all([deliver(), deliver()])
    expect(delivered).toHaveLength(1)
  })

  it('lets a slow receiver keep nobody else waiting', async () => {
    await create({ url: 'https://slow.lab.example.org/' })
    await create()
    await complete(0)
    let release = () => {}
    const slow = new Promise<void>(resolve => {
      release = resolve
    })
    const told: string[] = []
    const round = deliverWebhooks({
      db: t.db,
      clock: () => t.clock.now,
      policy: POLICY,
      async post(url) {
        if (url.includes('slow')) await slow
        told.push(url)
        return 200
      },
    })
    await expect.poll(() => told).toEqual([URL_OF_HOOK])
    // Completions go on meanwhile.
    await complete(1)
    release()
    await round
    expect(told).toEqual([URL_OF_HOOK, 'https://slow.lab.example.org/'])
  })

  it('finds the one hook that has something to tell among any number that have not', async () => {
    const quiet = await startWorkflow(t, workflowOf(graphOf([[]])))
    for (let n = 0; n < 120; n++)
      await t.post(`/workflows/${quiet.workflowId}/webhooks`, { url: URL_OF_HOOK, events: ['job_failed'] })
    await create()
    await complete(0)
    await deliver()
    expect(typesTold()).toEqual([['job_completed']])
  })

  it('takes the workflow first that waits longest, so that busy ones keep none waiting', async () => {
    await t.post('/webhooks', { url: URL_OF_HOOK, events: ['job_completed'] })
    await complete(0)
    await deliver()
    const waiting: number[] = []
    for (let n = 0; n < 20; n++) waiting.push(await endAnother())
    t.clock.now += 1_000
    await complete(1)
    delivered = []
    await deliver()
    expect(delivered.map(({ body }) => body.workflow_id)).toEqual(waiting)
  })

  it('passes over what a hook does not want without losing time', async () => {
    await create({ events: ['workflow_ended'] })
    const many = Array.from({ length: 1_200 }, () => ({
      type: 'job_started' as const,
      jobId: started.jobs[0]!,
      data: {},
    }))
    await t.db.write(() => appendEvents(started.workflowId, t.clock.now, many))
    await complete(0, 1)
    await deliver()
    expect(typesTold()).toEqual([['workflow_ended']])
  })

  it('keeps a hook to itself for as long as its deliveries take', async () => {
    await t.post('/webhooks', { url: URL_OF_HOOK, events: ['job_completed'] })
    for (let n = 0; n < 3; n++) await endAnother()
    const slowly: Post = async (...given) => {
      t.clock.now += 100_000
      // Another server looks whether it is its turn.
      await deliver()
      return post(...given)
    }
    await deliverWebhooks({ db: t.db, clock: () => t.clock.now, post: slowly, policy: POLICY })
    expect(delivered).toHaveLength(3)
  })

  it('does not write while nothing happens', async () => {
    await create()
    await deliver()
    const before = t.db.writeTransactions
    for (let round = 0; round < 5; round++) await deliver()
    expect(t.db.writeTransactions).toBe(before)
  })
})

describe('webhooks of the API', () => {
  it('shows a secret only to whoever makes the hook', async () => {
    const made = await t.post(`/workflows/${started.workflowId}/webhooks`, { url: URL_OF_HOOK })
    expect(made.body.secret).toMatch(/^whsec_/)
    const { body } = await t.get(`/workflows/${started.workflowId}/webhooks`)
    expect(JSON.stringify(body)).not.toContain(made.body.secret)
    expect(body.count).toBe(1)
  })

  it.each([
    ['http://hooks.example.org/', /https/],
    ['https://elsewhere.example.org/', /only/],
    ['https://user:pw@hooks.example.org/', /password/],
    ['nonsense', /https/],
  ])('refuses to deliver to %s', async (url, why) => {
    const { status, body } = await create({ url })
    expect(status).toBe(422)
    expect(JSON.stringify(body)).toMatch(why)
  })

  it('goes with its workflow, and on request', async () => {
    const { body: hook } = await create()
    expect((await t.del(`/workflows/${started.workflowId}/webhooks/${hook.id}`)).status).toBe(200)
    expect((await t.del(`/workflows/${started.workflowId}/webhooks/${hook.id}`)).status).toBe(404)
    await create()
    await t.del(`/workflows/${started.workflowId}`)
    await deliver()
    expect(delivered).toEqual([])
  })

  it('lets administrators alone listen to all workflows', async () => {
    const guarded = await accessApp()
    try {
      const { status } = await actingAs(guarded, as('ben')).post('/webhooks', { url: URL_OF_HOOK })
      expect(status).toBe(403)
    } finally {
      await guarded.close()
    }
    expect((await t.get('/webhooks')).body).toEqual({ items: [], count: 0 })
    const { status } = await t.post('/webhooks', { url: URL_OF_HOOK })
    expect(status).toBe(200)
    const other = await startWorkflow(t, workflowOf(graphOf([[]])))
    await deliver()
    expect(delivered.map(({ body }) => body.workflow_id)).toContain(other.workflowId)
  })
})

describe('refusalOfUrl()', () => {
  it.each([
    ['https://hooks.example.org:8443/x?y', true],
    ['https://a.lab.example.org/', true],
    ['https://lab.example.org/', false],
    ['https://hooks.example.org.evil.example/', false],
    ['https://nothooks.example.org/', false],
    ['ftp://hooks.example.org/', false],
  ])('judges %s', (url, allowed) => {
    expect(refusalOfUrl(url, POLICY) === undefined).toBe(allowed)
  })
})

describe('isPublicAddress()', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
  ])('says no to %s', address => expect(isPublicAddress(address)).toBe(false))
  it.each(['93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:2800:220:1::1'])('says yes to %s', address =>
    expect(isPublicAddress(address)).toBe(true),
  )
})

describe('createPost()', () => {
  let receiver: Server
  let url: string
  let seen: { body: string; host?: string }[]
  beforeEach(async () => {
    seen = []
    receiver = createServer((request, response) => {
      let body = ''
      request.on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        seen.push({ body, host: request.headers.host })
        if (request.url === '/away') response.writeHead(302, { location: url }).end()
        else response.writeHead(202).end('thanks')
      })
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => receiver.once('listening', resolve))
    url = `http://localhost:${(receiver.address() as AddressInfo).port}/`
  })
  afterEach(() => {
    receiver.closeAllConnections()
    receiver.close()
  })

  it('sends the body and gives the status, of a redirect too, which it does not follow', async () => {
    const inside = createPost({ hosts: ['localhost'], insideNetwork: true })
    expect(await inside(url, { 'x-a': '1' }, 'hällo')).toBe(202)
    expect(await inside(`${url}away`, {}, 'x')).toBe(302)
    expect(seen.map(({ body }) => body)).toEqual(['hällo', 'x'])
    expect(seen[0]!.host).toBe(new URL(url).host)
  })

  it('does not go to an address of the own network, whatever its name', async () => {
    const outside = createPost({ hosts: ['localhost'], insideNetwork: false })
    await expect(outside(url, {}, 'x')).rejects.toThrow(/not a public address/)
    await expect(outside(url.replace('localhost', '127.0.0.1'), {}, 'x')).rejects.toThrow(/not a public address/)
    expect(seen).toEqual([])
  })
})
