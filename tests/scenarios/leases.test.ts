import { afterEach, beforeEach, expect, it } from 'vitest'
import { extendLeases } from '../../db/node-leases.ts'
import { tick } from '../../db/tick.ts'
import { all, one } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { seedNode } from '../helpers/seed.ts'
import { chain, independent, type Started, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

type Job = { id: number; claim_token: string; attempt_id: number; fence: number; lease_expires_at: number }

const LEASE = 60

async function claim(started: Started, fields: object = {}, limit = 10): Promise<Job[]> {
  const body = { compute_node_id: started.nodeId, lease_seconds: LEASE, start: true, ...fields }
  return (await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=${limit}`, body)).body.jobs
}

const heartbeat = async (nodeId: number, jobs: readonly Job[], running = false, fields: object = {}) =>
  (
    await t.post(`/compute_nodes/${nodeId}/heartbeat`, {
      claims: jobs.map(job => ({ job_id: job.id, claim_token: job.claim_token, running })),
      ...fields,
    })
  ).body

const complete = async (started: Started, job: Job, fields: object = {}) =>
  (
    await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
      verdicts: true,
      completions: [completionOf(started, job.id, { claim_token: job.claim_token, ...fields })],
    })
  ).body.verdicts[0].code

const jobRow = (id: number) => t.db.read(() => one<Record<string, unknown>>('SELECT * FROM job WHERE id = ?', id))
const lostRows = () =>
  t.db.read(() => all<object>('SELECT job_id, attempt_id, failure_class FROM lost_attempt ORDER BY job_id, attempt_id'))

function pass(seconds: number): void {
  t.clock.now += seconds * 1000
}

it('S2 a leased job is started with its token only, and its row is unchanged otherwise', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const [job] = await claim(started, { start: false })
  const start = (query: string) => t.put(`/jobs/${job!.id}/start_job/0/${started.nodeId}${query}`)
  const before = await jobRow(job!.id)
  for (const query of ['', '?claim_token=wrong']) {
    expect(await start(query)).toMatchObject({ status: 409, body: { error: { code: 'lost_claim' } } })
  }
  expect(await jobRow(job!.id)).toEqual(before)
  expect((await start(`?claim_token=${job!.claim_token}`)).status).toBe(200)
  expect(await jobRow(job!.id)).toMatchObject({ status: 4, claim_token: job!.claim_token })
})

it('S3 a heartbeat moves the end of a lease forward by the clock of the server, and the token stays', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const jobs = await claim(started)
  pass(40)
  const reply = await heartbeat(started.nodeId, jobs)
  expect(reply).toEqual({
    lease_expires_at: t.clock.now + LEASE * 1000,
    lost: [],
    cancel: [],
    reclaimed: [],
    ready_hint: false,
  })
  for (const job of jobs)
    expect(await jobRow(job.id)).toMatchObject({
      claim_token: job.claim_token,
      lease_expires_at: t.clock.now + LEASE * 1000,
    })
})

it('a heartbeat that names another lease renews for that long, and keeps what was granted longer', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const jobs = await claim(started)
  pass(30)
  expect(await heartbeat(started.nodeId, jobs, true, { lease_seconds: 20 })).toMatchObject({
    lease_expires_at: t.clock.now + 30_000,
  })
  expect(await jobRow(jobs[0]!.id)).toMatchObject({ lease_seconds: 20 })
  pass(20)
  expect(await heartbeat(started.nodeId, jobs, true)).toMatchObject({ lease_expires_at: t.clock.now + 20_000 })
  const refused = await t.post(`/compute_nodes/${started.nodeId}/heartbeat`, { claims: [], lease_seconds: 14 })
  expect(refused.status).toBe(422)
})

it('a job that is given back to the runner that still runs it gets the lease that this one keeps', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const jobs = await claim(started)
  pass(LEASE + 1)
  await tick(t.db, t.clock.now)
  const reply = await heartbeat(started.nodeId, jobs, true, { lease_seconds: 15 })
  expect(reply.reclaimed).toMatchObject([{ job_id: jobs[0]!.id, attempt_id: 2 }])
  expect(await jobRow(jobs[0]!.id)).toMatchObject({ lease_seconds: 15, lease_expires_at: t.clock.now + 15_000 })
  pass(16)
  await tick(t.db, t.clock.now)
  expect(await statusesOf(t, started.workflowId)).toEqual(['ready'])
})

it('S4 a job of ten minutes under a lease of one is never orphaned while its runner sends heartbeats', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const jobs = await claim(started)
  for (let minute = 0; minute < 10; minute += 0.5) {
    pass(30)
    await heartbeat(started.nodeId, jobs)
    await tick(t.db, t.clock.now)
  }
  expect(await statusesOf(t, started.workflowId)).toEqual(['running'])
  expect(await complete(started, jobs[0]!)).toBe('accepted')
  expect(await lostRows()).toEqual([])
})

it.each([
  ['a claim', async (other: Started) => void (await claim(other))],
  ['a heartbeat of another runner', async (other: Started) => void (await heartbeat(other.nodeId, []))],
  ['tick', async () => tick(t.db, t.clock.now)],
  [
    'a completion that claims',
    async ({ workflowId, nodeId }: Started) =>
      void (await t.post(`/workflows/${workflowId}/batch_complete_jobs`, {
        completions: [],
        claim: { limit: 1, compute_node_id: nodeId },
      })),
  ],
])('S5 a lapsed lease is rescued by %s: attempt 1 is recorded, and the job is ready as attempt 2', async (_, come) => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const other = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, {}, 1)
  pass(LEASE)
  await come(other)
  expect(await jobRow(job!.id)).toMatchObject({
    status: 2,
    attempt_id: 2,
    losses: 1,
    claim_token: null,
    compute_node_id: null,
    lease_expires_at: null,
    lease_seconds: null,
  })
  expect(await lostRows()).toEqual([{ job_id: job!.id, attempt_id: 1, failure_class: 'lease_expired' }])
})

it('S5 a lease of another job of the same node that still runs is left alone', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const [early] = await claim(started, {}, 1)
  pass(30)
  const [late] = await claim(started, {}, 1)
  pass(30)
  await tick(t.db, t.clock.now)
  expect(await jobRow(early!.id)).toMatchObject({ status: 2, attempt_id: 2 })
  expect(await jobRow(late!.id)).toMatchObject({ status: 4, attempt_id: 1 })
  pass(30)
  await tick(t.db, t.clock.now)
  expect(await jobRow(late!.id)).toMatchObject({ status: 2, attempt_id: 2 })
})

it('S6 with a loss budget of 0 a lapsed lease fails the job, and what hangs below it is canceled', async () => {
  const started = await startWorkflow(t, workflowOf(chain(3), { lossBudget: 0 }))
  await claim(started)
  pass(LEASE)
  await tick(t.db, t.clock.now)
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'canceled', 'canceled'])
  const results = await t.get(`/results?workflow_id=${started.workflowId}`)
  expect(results.body.items).toMatchObject([{ status: 'failed', return_code: -128, failure_class: 'lease_expired' }])
})

it('S7 a lease that has lapsed and was not rescued yet: its owner completes, and renews', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const [first, second] = await claim(started)
  pass(LEASE + 1)
  expect(await complete(started, first!)).toBe('accepted')
  expect((await heartbeat(started.nodeId, [second!])).lost).toEqual([])
  expect(await jobRow(second!.id)).toMatchObject({ status: 4, attempt_id: 1 })
})

it('S8 rescued and not claimed again: a late success is salvaged and the requeue withdrawn, a late failure changes nothing', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const [good, bad] = await claim(started)
  pass(LEASE)
  await tick(t.db, t.clock.now)
  expect(await complete(started, good!)).toBe('salvaged')
  expect(await complete(started, bad!, { status: 'failed' })).toBe('lost_claim')
  expect(await statusesOf(t, started.workflowId)).toEqual(['completed', 'ready'])
})

it('S9 claimed again by B: A is refused and its result kept, and B completes', async () => {
  const a = await startWorkflow(t, workflowOf(independent(1)))
  const b = { ...a, nodeId: await seedNode(t, a.workflowId, { hostname: 'node-2' }) }
  const [ofA] = await claim(a)
  pass(LEASE)
  const [ofB] = await claim(b)
  expect(ofB!.fence).toBeGreaterThan(ofA!.fence)
  expect((await heartbeat(a.nodeId, [ofA!], true)).lost).toEqual([ofA!.id])
  expect(await complete(a, ofA!)).toBe('lost_claim')
  expect(await complete(b, ofB!)).toBe('accepted')
  const kept = await t.db.read(() => all<object>('SELECT attempt_id, superseded FROM result ORDER BY attempt_id'))
  expect(kept).toEqual([
    { attempt_id: 1, superseded: 1 },
    { attempt_id: 2, superseded: 0 },
  ])
})

it('S10 two runners of one name: a stale token gives no access to what the other one holds', async () => {
  const a = await startWorkflow(t, workflowOf(independent(1)))
  const twin = { ...a, nodeId: await seedNode(t, a.workflowId) }
  const [stale] = await claim(a)
  pass(LEASE)
  const [held] = await claim(twin)
  expect((await heartbeat(twin.nodeId, [stale!])).lost).toEqual([stale!.id])
  await t.post(`/compute_nodes/${twin.nodeId}/release`, {
    claims: [{ job_id: stale!.id, claim_token: stale!.claim_token }],
  })
  expect(await complete(twin, stale!)).toBe('lost_claim')
  expect(await jobRow(held!.id)).toMatchObject({ status: 4, claim_token: held!.claim_token })
})

it.each([-7_200_000, 7_200_000])('S11 a runner whose clock is %i ms off has the same lease', async off => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, { start: false })
  await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [],
    started: [{ job_id: job!.id, claim_token: job!.claim_token, start_time: t.clock.now + off }],
  })
  expect(await jobRow(job!.id)).toMatchObject({ status: 4, lease_expires_at: t.clock.now + LEASE * 1000 })
  pass(LEASE - 1)
  await tick(t.db, t.clock.now)
  expect(await statusesOf(t, started.workflowId)).toEqual(['running'])
})

it('S14 the database refuses a leased claim without token, owner or end', async () => {
  const { jobs } = await startWorkflow(t, workflowOf(independent(1)))
  const whole = { claim_token: "'t'", compute_node_id: '1', claimed_at: '1', lease_expires_at: '1' }
  for (const missing of Object.keys(whole)) {
    const columns = Object.entries({ ...whole, [missing]: 'NULL' }).map(([name, value]) => `${name} = ${value}`)
    const write = t.db.write(() =>
      all(`UPDATE job SET status = 4, lease_seconds = 60, ${columns.join()} WHERE id = ?`, jobs[0]!),
    )
    await expect(write, missing).rejects.toThrow(/CHECK/)
  }
})

it('S16 a claim without a lease never ends by itself, and a heartbeat gives it none', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, { lease_seconds: undefined })
  expect((await heartbeat(started.nodeId, [job!])).lost).toEqual([])
  pass(86_400)
  await tick(t.db, t.clock.now)
  expect(await jobRow(job!.id)).toMatchObject({ status: 4, lease_expires_at: null })
  expect((await t.get(`/jobs/${job!.id}/explain`)).body.reasons).toContainEqual(
    expect.objectContaining({ code: 'no_lease' }),
  )
})

it('S21 a canceled job is told by the heartbeat, and no budget is spent', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started)
  await t.put(`/workflows/${started.workflowId}/cancel`)
  expect(await heartbeat(started.nodeId, [job!], true)).toMatchObject({ lost: [], cancel: [job!.id] })
  pass(LEASE * 2)
  await tick(t.db, t.clock.now)
  expect(await jobRow(job!.id)).toMatchObject({ attempt_id: 1, losses: 0, status: 7 })
})

it('S26 ten losses under one job with a budget of 5: failed with the class of the last, the retry budget untouched', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1), { lossBudget: 5 }))
  for (let loss = 0; loss < 10; loss++) {
    await claim(started)
    pass(LEASE)
    await tick(t.db, t.clock.now)
  }
  expect(await jobRow(started.jobs[0]!)).toMatchObject({ status: 6, attempt_id: 6, losses: 6 })
  expect(await lostRows()).toHaveLength(6)
})

it('S52 a held job of a runner that is gone comes back by its lease without spending a budget', async () => {
  const started = await startWorkflow(t, workflowOf(independent(3)))
  await claim(started, { hold: { jobs: 2, num_cpus: 1, memory_gb: 1 } }, 1)
  pass(LEASE)
  await tick(t.db, t.clock.now)
  const rows = await t.db.read(() => all<object>('SELECT status, attempt_id, losses, is_held FROM job ORDER BY id'))
  expect(rows).toEqual([
    { status: 2, attempt_id: 2, losses: 1, is_held: 0 },
    { status: 2, attempt_id: 1, losses: 0, is_held: 0 },
    { status: 2, attempt_id: 1, losses: 0, is_held: 0 },
  ])
})

it('POST heartbeat gives a rescued job back to the runner that still runs it, as its next attempt', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const [running, ended] = await claim(started)
  pass(LEASE)
  await tick(t.db, t.clock.now)
  const reply = await t.post(`/compute_nodes/${started.nodeId}/heartbeat`, {
    claims: [
      { job_id: running!.id, claim_token: running!.claim_token, running: true },
      { job_id: ended!.id, claim_token: ended!.claim_token },
    ],
  })
  const [back] = reply.body.reclaimed
  expect(reply.body).toMatchObject({ lost: [ended!.id], reclaimed: [{ job_id: running!.id, attempt_id: 2 }] })
  expect(back.claim_token).not.toBe(running!.claim_token)
  expect(await complete(started, { ...running!, ...back })).toBe('accepted')
  expect(await complete(started, ended!)).toBe('salvaged')
})

it('POST heartbeat of an unknown node is 404, and says whether jobs are ready', async () => {
  expect((await t.post('/compute_nodes/999/heartbeat', { claims: [] })).status).toBe(404)
  const started = await startWorkflow(t, workflowOf(independent(1)))
  expect((await heartbeat(started.nodeId, [])).ready_hint).toBe(true)
})

it('extendLeases() gives every lease its full time after a server that was away', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started)
  pass(86_400)
  await t.db.write(() => extendLeases(t.clock.now))
  await tick(t.db, t.clock.now)
  expect(await jobRow(job!.id)).toMatchObject({ status: 4, lease_expires_at: t.clock.now + LEASE * 1000 })
  pass(LEASE)
  await tick(t.db, t.clock.now)
  expect(await statusesOf(t, started.workflowId)).toEqual(['ready'])
})

it('settleAllDue() rescues more jobs than one transaction takes', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1_200)))
  await claim(started, {}, 1_200)
  pass(LEASE)
  await tick(t.db, t.clock.now)
  expect(new Set(await statusesOf(t, started.workflowId))).toEqual(new Set(['ready']))
})
