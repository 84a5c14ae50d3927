import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RemoteDb } from '../../db/open-remote.ts'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { openSqldDb } from '../helpers/back-end.ts'
import { completionOf } from '../helpers/completion.ts'
import { graphOf, requirementsOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

/** Each costs a round trip to the database server; on the free plan of Workers few are allowed (platform.md 5.2). */
const MOST = 3

let t: TestApp
let db: RemoteDb
beforeEach(async () => {
  const opened = await openSqldDb()
  db = opened.db
  t = await testApp({}, async () => opened)
  // What a process asks once.
  await t.get('/ping')
})
afterEach(() => t.close())

async function tripsOf(request: () => Promise<Reply>): Promise<{ trips: number; body: Reply['body'] }> {
  const before = db.roundTrips
  const { status, body } = await request()
  expect(status, JSON.stringify(body)).toBe(200)
  return { trips: db.roundTrips - before, body }
}

/** `width` pairs of jobs, the second of each waiting for the first, in two resource classes. */
async function startPairs(width: number): Promise<Started> {
  const firsts = Array.from({ length: width }, () => [])
  const seconds = Array.from({ length: width }, (_, k) => [k])
  const jobs = graphOf([...firsts, ...seconds]).map((job, k) => ({ ...job, resourceRequirements: k % 2 }))
  const sets = [requirementsOf('a'), requirementsOf('b', { memoryBytes: 2 ** 21 })]
  return startWorkflow(t, workflowOf(jobs, { resourceRequirements: sets }))
}

type Claimed = { id: number; claim_token: string }

const claimOf = ({ nodeId }: Started, limit: number, claim_id: string) => ({
  limit,
  num_cpus: 1000,
  memory_gb: 64,
  num_gpus: 0,
  num_nodes: 1,
  total: { num_cpus: 1000, memory_gb: 64 },
  compute_node_id: nodeId,
  lease_seconds: 60,
  claim_id,
})

it.each([1, 100])(
  'a claim, a heartbeat and a completion with a claim of %i jobs take three round trips at most',
  async width => {
    const started = await startPairs(width)
    const path = `/workflows/${started.workflowId}`
    const claim = await tripsOf(() =>
      t.post(`${path}/claim_jobs_based_on_resources/${width}`, claimOf(started, width, 'claim-0001')),
    )
    expect(claim.body.jobs).toHaveLength(width)
    const held: Claimed[] = claim.body.jobs

    const heartbeat = await tripsOf(() =>
      t.post(`/compute_nodes/${started.nodeId}/heartbeat`, {
        claims: held.map(job => ({ job_id: job.id, claim_token: job.claim_token, running: true })),
      }),
    )
    expect(heartbeat.body).toMatchObject({ lost: [], cancel: [] })

    const completions = held.map(job => completionOf(started, job.id, { claim_token: job.claim_token }))
    const exchange = await tripsOf(() =>
      t.post(`${path}/batch_complete_jobs`, { completions, claim: claimOf(started, width, 'claim-0002') }),
    )
    expect(exchange.body.completed).toHaveLength(width)
    expect(exchange.body.claimed).toHaveLength(width)

    const last = await tripsOf(() =>
      t.post(`${path}/batch_complete_jobs`, {
        completions: exchange.body.claimed.map((job: Claimed) =>
          completionOf(started, job.id, { claim_token: job.claim_token }),
        ),
      }),
    )
    expect(last.body.completed).toHaveLength(width)
    for (const { trips } of [claim, heartbeat, exchange, last]) expect(trips).toBeLessThanOrEqual(MOST)
  },
)

it('a claim that gets nothing takes one round trip and no write transaction', async () => {
  const started = await startPairs(1)
  const claim = claimOf(started, 5, 'claim-0001')
  const ask = () => t.post(`/workflows/${started.workflowId}/claim_jobs_based_on_resources/5`, claim)
  expect((await ask()).body.jobs).toHaveLength(1)
  const before = db.writeTransactions
  const { trips, body } = await tripsOf(() =>
    t.post(`/workflows/${started.workflowId}/claim_jobs_based_on_resources/5`, { ...claim, claim_id: 'claim-0002' }),
  )
  expect(body.jobs).toEqual([])
  expect(trips).toBe(1)
  expect(db.writeTransactions).toBe(before)
})
