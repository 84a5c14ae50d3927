import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRemote } from '../../../db/open-remote.ts'
import { one } from '../../../db/unit.ts'
import { type Fate, type FaultyServer, startFaultyServer } from '../../db/faulty-server.ts'
import { type Reply, type TestApp, testApp } from '../../helpers/app.ts'
import { openSqldDb } from '../../helpers/back-end.ts'
import { completionOf } from '../../helpers/completion.ts'
import { assertInvariants } from '../../helpers/invariants.ts'
import { independent, type Started, startWorkflow, workflowOf } from '../../helpers/workflow.ts'

/** The app over a real sqld behind a proxy that spoils requests; `direct` reaches the same database past it. */
let t: TestApp
let proxy: FaultyServer
let direct: Awaited<ReturnType<typeof openSqldDb>>
let fateOf: (statements: string[], index: number) => Fate

beforeAll(async () => {
  fateOf = () => 'pass'
  direct = await openSqldDb()
  proxy = await startFaultyServer(direct.dbPath, (statements, index) => fateOf(statements, index))
  const db = openRemote({ url: proxy.url, queue: true })
  t = await testApp({}, async () => ({ db, dbPath: proxy.url, reopen: () => db, remove: () => db.close() }))
  // What a process asks once.
  await t.get('/ping')
})
afterAll(async () => {
  await t.close()
  await proxy.stop()
  await direct.remove()
})

type Claimed = { id: number; claim_token: string }

/** One operation: what it is sent to, and what must be true of the database once it was done however often it was sent. */
type Case = { send(): Promise<Reply>; reply: unknown; effect(): Promise<unknown>; expected: unknown }

const count = async (sql: string, ...args: (string | number)[]): Promise<number> =>
  (await direct.db.read(() => one<{ n: number }>(sql, ...args)))!.n

let made = 0

const OPERATIONS: Record<string, () => Promise<Case>> = {
  async 'creates a workflow'() {
    const name = `made-${++made}`
    return {
      send: () => t.post('/workflows', { name, user: 'u' }, { 'Idempotency-Key': name }),
      reply: { name },
      effect: () => count('SELECT count(*) AS n FROM workflow WHERE name = ?', name),
      expected: 1,
    }
  },
  async 'creates jobs'() {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    const jobs = ['a', 'b'].map(name => ({ workflow_id: workflowId, name, command: 'true' }))
    return {
      send: () => t.post('/bulk_jobs', { jobs }, { 'Idempotency-Key': `jobs-of-${workflowId}` }),
      reply: { jobs: [{ name: 'a' }, { name: 'b' }] },
      effect: () => count('SELECT count(*) AS n FROM job WHERE workflow_id = ?', workflowId),
      expected: 3,
    }
  },
  async 'claims jobs'() {
    const started = await startWorkflow(t, workflowOf(independent(3)))
    return {
      send: () => claim(started, 2),
      reply: { jobs: [{ status: 'pending' }, { status: 'pending' }] },
      effect: () => count('SELECT sum(fence) AS n FROM job WHERE workflow_id = ?', started.workflowId),
      expected: 2,
    }
  },
  async 'completes jobs'() {
    const { started, held } = await startHeld(2)
    const completions = held.map(job => completionOf(started, job.id, { claim_token: job.claim_token }))
    return {
      send: () => t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, { completions }),
      reply: { completed: held.map(job => job.id), errors: [] },
      effect: () => count('SELECT count(*) AS n FROM result WHERE workflow_id = ?', started.workflowId),
      expected: 2,
    }
  },
  async 'sends a heartbeat'() {
    const { started, held } = await startHeld(2)
    t.clock.now += 10_000
    const until = t.clock.now + 60_000
    const claims = held.map(job => ({ job_id: job.id, claim_token: job.claim_token, running: true }))
    return {
      send: () => t.post(`/compute_nodes/${started.nodeId}/heartbeat`, { claims }),
      reply: { lost: [], cancel: [] },
      effect: () =>
        count(
          'SELECT count(*) AS n FROM job WHERE workflow_id = ? AND lease_expires_at = ?',
          started.workflowId,
          until,
        ),
      expected: 2,
    }
  },
}

function claim({ workflowId, nodeId }: Started, limit: number): Promise<Reply> {
  return t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/${limit}`, {
    limit,
    num_cpus: 1000,
    memory_gb: 64,
    num_gpus: 0,
    num_nodes: 1,
    compute_node_id: nodeId,
    lease_seconds: 60,
    claim_id: 'claim-0001',
  })
}

async function startHeld(n: number): Promise<{ started: Started; held: Claimed[] }> {
  const started = await startWorkflow(t, workflowOf(independent(n)))
  const { body } = await claim(started, n)
  return { started, held: body.jobs }
}

/** Spoils the requests of one operation to the database server; tells how many there were. */
async function spoiled(fate: (statements: string[], k: number) => Fate, send: () => Promise<Reply>) {
  const before = proxy.requests.length
  fateOf = (statements, index) => fate(statements, index - before)
  try {
    return { reply: await send(), requests: proxy.requests.length - before }
  } finally {
    fateOf = () => 'pass'
  }
}

async function expectDoneOnce({ send, reply, effect, expected }: Case, first: Reply, when: string): Promise<void> {
  expect(first.status, `${when} ${JSON.stringify(first.body)}`).toBe(200)
  expect(first.body, when).toMatchObject(reply as object)
  expect(await effect(), when).toBe(expected)
  const again = await send()
  expect(again.status, when).toBe(200)
  expect(await effect(), `${when}, sent again`).toBe(expected)
}

describe.each(Object.keys(OPERATIONS))('a request that %s', name => {
  const begin = OPERATIONS[name]!

  it.each(['lose request', 'TRANSACTION_TIMEOUT', 'STREAM_EXPIRED'] as const)(
    'has its effect once when any of its calls ends in %s',
    async fate => {
      const clean = await begin()
      const { requests } = await spoiled(() => 'pass', clean.send)
      expect(requests).toBeGreaterThan(0)
      for (let k = 0; k < requests; k++) {
        const operation = await begin()
        const { reply } = await spoiled((_, index) => (index === k ? fate : 'pass'), operation.send)
        await expectDoneOnce(operation, reply, `${fate} in call ${k} of ${requests}`)
      }
      await assertInvariants(direct.db)
    },
  )

  it('has its effect once when the answer to its commit is lost', async () => {
    const operation = await begin()
    let lost = 0
    const { reply } = await spoiled(
      statements => (statements.at(-1) === 'COMMIT' && lost++ === 0 ? 'lose answer' : 'pass'),
      operation.send,
    )
    expect(lost).toBeGreaterThan(0)
    await expectDoneOnce(operation, reply, 'answer of the commit lost')
    await assertInvariants(direct.db)
  })

  it('ends in 503 with Retry-After when it cannot learn what became of its commit, and works when sent again', async () => {
    const operation = await begin()
    let committed = false
    const cut = await spoiled(statements => {
      if (committed) return 'lose request'
      committed = statements.at(-1) === 'COMMIT' && statements.some(sql => sql.includes('write_receipt'))
      return committed ? 'lose answer' : 'pass'
    }, operation.send)
    expect(committed).toBe(true)
    expect(cut.reply.status).toBe(503)
    expect(Number(cut.reply.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await operation.effect(), 'the commit took effect').toBe(operation.expected)
    await expectDoneOnce(operation, await operation.send(), 'sent again')
    await assertInvariants(direct.db)
  })

  it.each([
    ['TRANSACTION_TIMEOUT', 503],
    ['RESPONSE_TOO_LARGE', 413],
  ] as const)(
    'changes nothing and says so when every commit ends in %s, and works afterwards',
    async (fate, status) => {
      const operation = await begin()
      const before = await operation.effect()
      const { reply } = await spoiled(statements => (statements.at(-1) === 'COMMIT' ? fate : 'pass'), operation.send)
      expect(reply.status, JSON.stringify(reply.body)).toBe(status)
      if (status === 503) expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await operation.effect()).toBe(before)
      await expectDoneOnce(operation, await operation.send(), 'sent again')
      await assertInvariants(direct.db)
    },
  )
})
