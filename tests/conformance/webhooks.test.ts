import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { completionOf } from '../helpers/completion.ts'
import { api, callerOf, letTick, target, twin, waitUntil } from './client.ts'
import { startTarget, type TargetName } from './targets.ts'
import { claim, jobsNamed, start } from './workflow.ts'

const KEY = Buffer.alloc(24, 7)

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

type Delivery = { headers: IncomingMessage['headers']; text: string }

/** A receiver that answers with these statuses, one after the other, the last of them from then on. */
async function startReceiver(...statuses: number[]): Promise<{ address: string; delivered: Delivery[] }> {
  const delivered: Delivery[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => (text += chunk))
    request.on('end', () => {
      delivered.push({ headers: request.headers, text })
      response
        .writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!, { location: '/elsewhere' })
        .end('thanks')
    })
  })
  // As many kinds of addresses as "localhost" may stand for.
  await new Promise<void>(resolve => server.listen(0, resolve))
  cleanUps.push(() => server.close())
  return { address: `http://localhost:${(server.address() as AddressInfo).port}/hook`, delivered }
}

it('webhooks: a receiver is told what happened, signed, and again after it did not take it; redirects are not followed', async () => {
  const { address, delivered } = await startReceiver(307, 200)
  const started = await start(api, jobsNamed('a'))
  const made = await api.post(`/workflows/${started.workflowId}/webhooks`, {
    url: address,
    secret: `whsec_${KEY.toString('base64')}`,
    events: ['job_completed', 'workflow_ended'],
  })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  const [held] = await claim(twin, started)
  await twin.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, held!.id, { claim_token: held!.claim_token })],
  })
  const look = async () => {
    await letTick()
    return delivered.length
  }
  await waitUntil(look, count => count === 2)

  const [first, second] = delivered
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
  const told = JSON.parse(second!.text)
  expect(told.workflow_id).toBe(started.workflowId)
  expect(told.events.map(({ type }: { type: string }) => type)).toEqual(['job_completed', 'workflow_ended'])
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = second!.headers
  const expected = createHmac('sha256', KEY).update(`${id}.${at}.${second!.text}`).digest('base64')
  expect(signature).toBe(`v1,${expected}`)
})

it('webhooks: no other host is taken', async () => {
  const { workflowId } = await start(api, jobsNamed('a'))
  const refused = await api.post(`/workflows/${workflowId}/webhooks`, { url: 'https://elsewhere.example.org/' })
  expect(refused.status).toBe(422)
  expect(refused.body.error.message).toContain('localhost')
})

it.each([
  'http://127.0.0.1:9/',
  'http://127.1:9/',
  'http://2130706433:9/',
  'http://0x7f.0.0.1:9/',
  'http://0177.0.0.01:9/',
  'http://[::1]:9/',
  'http://[::ffff:127.0.0.1]:9/',
  'http://[0:0:0:0:0:ffff:7f00:1]:9/',
  'http://localhost.:9/',
  'http://localhost@127.0.0.1:9/',
])('webhooks: %s is no spelling of a host that was named', async url => {
  const { workflowId } = await start(api, jobsNamed('a'))
  expect((await api.post(`/workflows/${workflowId}/webhooks`, { url })).status).toBe(422)
})

// On Workers it is the platform's network that leads to public addresses only, and no code of ours: docs/deploy.md.
if (target.name !== 'workerd+sqld')
  it('webhooks: a host that was named gets nothing at an address inside the network', async () => {
    const outside = await startTarget(target.name as TargetName, { twin: false, webhookInside: false })
    let connections = 0
    const receiver = createTcpServer(socket => {
      connections++
      socket.destroy()
    })
    cleanUps.push(() => receiver.close())
    try {
      await new Promise<void>(resolve => receiver.listen(0, resolve))
      const there = callerOf(outside.url, `Bearer ${outside.token}`)
      const started = await start(there, jobsNamed('a'))
      const hooks = `/workflows/${started.workflowId}/webhooks`
      const port = (receiver.address() as AddressInfo).port
      expect((await there.post(hooks, { url: `http://localhost:${port}/` })).status).toBe(422)
      expect((await there.post(hooks, { url: `https://localhost:${port}/` })).status).toBe(200)
      const [held] = await claim(there, started)
      await there.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
        completions: [completionOf(started, held!.id, { claim_token: held!.claim_token })],
      })
      const look = async (): Promise<string | undefined> => (await there.get(hooks)).body.items[0].last_error
      const trouble = await waitUntil(look, error => error !== undefined)
      expect(trouble).toContain('not a public address')
      expect(connections).toBe(0)
    } finally {
      await outside.stop()
    }
  }, 60_000)
