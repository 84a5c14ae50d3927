import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { seedNode } from '../helpers/seed.ts'
import { independent, jobOf, requirementsOf, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'
import { postOver, watchDb } from '../helpers/wrapped-db.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const NODE = {
  hostname: 'n1',
  pid: 1,
  start_time: '2026-01-01T00:00:00Z',
  num_cpus: 4,
  memory_gb: 8,
  num_gpus: 0,
  num_nodes: 1,
  compute_node_type: 'local',
}

let claims = 0
/** What our runner sends, for so many slots. */
const claimOf = (limit: number, fields: object = {}) => ({
  claim_id: `claim-of-many-${++claims}`,
  limit,
  num_cpus: limit,
  memory_gb: 8,
  num_gpus: 0,
  num_nodes: 1,
  lease_seconds: 120,
  start: true,
  node: NODE,
  ...fields,
})

/** Starts a workflow of so many equal jobs, owned by a user. */
async function start(user: string, jobs: number, fields: Parameters<typeof workflowOf>[1] = {}) {
  const made = await startWorkflow(t, workflowOf(independent(jobs), fields))
  const stored = await t.get(`/workflows/${made.workflowId}`)
  await t.put(`/workflows/${made.workflowId}`, { ...stored.body, user })
  return made.workflowId
}

type Claimed = { id: number; workflow_id: number; compute_node_id: number; claim_token: string }

/** The completion of a claimed job. */
const endOf = ({ id, workflow_id, compute_node_id, claim_token }: Claimed) =>
  completionOf({ workflowId: workflow_id, nodeId: compute_node_id, jobs: [] }, id, { claim_token })

const workflowsOf = (reply: { body: { jobs: { workflow_id: number }[] } }): number[] =>
  reply.body.jobs.map(job => job.workflow_id)

test('POST /claims takes jobs of all workflows in turns of users, and registers a node in each', async () => {
  const a1 = await start('ann', 5)
  const a2 = await start('ann', 5)
  const b = await start('bob', 5)
  const reply = await t.post('/claims', claimOf(4))
  expect(reply.status).toBe(200)
  expect(workflowsOf(reply)).toEqual([a1, b, a2, b])
  expect(reply.body.workflows.map((one: { id: number }) => one.id).sort()).toEqual([a1, a2, b])
  for (const job of reply.body.jobs) {
    expect(job).toMatchObject({
      status: 'running',
      claim_token: expect.any(String),
      lease_expires_at: expect.any(Number),
    })
    expect((await t.get(`/compute_nodes/${job.compute_node_id}`)).body).toMatchObject({
      ...NODE,
      workflow_id: job.workflow_id,
      is_active: true,
    })
  }
  const nodes = reply.body.workflows.map((one: { compute_node_id: number }) => one.compute_node_id)
  const again = await t.post('/claims', claimOf(4, { compute_nodes: nodes }))
  expect(again.body.workflows).toEqual([])
  expect(new Set(again.body.jobs.map((job: { compute_node_id: number }) => job.compute_node_id)).size).toBe(3)
})

test('POST /claims with one slot goes round: of equals the workflow served longest ago is next', async () => {
  const a1 = await start('ann', 9)
  const a2 = await start('ann', 9)
  const b = await start('bob', 9)
  const served: number[] = []
  const order: number[] = []
  for (let k = 0; k < 8; k++) {
    const [job] = (await t.post('/claims', claimOf(1, { served }))).body.jobs
    order.push(job.workflow_id)
    served.splice(0, served.length, ...served.filter(id => id !== job.workflow_id), job.workflow_id)
    await t.post('/claims', {
      limit: 0,
      completions: [endOf(job)],
      verdicts: true,
    })
  }
  expect(order).toEqual([a1, b, a2, b, a1, b, a2, b])
})

test('POST /claims serves only what is named: ids, a user, a project', async () => {
  const a = await start('ann', 3, { project: 'wind' })
  const b = await start('bob', 3, { project: 'sun' })
  expect(workflowsOf(await t.post('/claims', claimOf(2, { user: 'bob' })))).toEqual([b, b])
  expect(workflowsOf(await t.post('/claims', claimOf(2, { project: 'wind' })))).toEqual([a, a])
  expect(workflowsOf(await t.post('/claims', claimOf(2, { workflow_ids: [a, 999] })))).toEqual([a])
  expect(workflowsOf(await t.post('/claims', claimOf(2, { user: 'nobody' })))).toEqual([])
})

test('S61 POST /claims begins no write transaction when nothing fits', async () => {
  const requirements = requirementsOf('large', { numCpus: 32 })
  await startWorkflow(
    t,
    workflowOf([jobOf('large', { resourceRequirements: 0 })], { resourceRequirements: [requirements] }),
  )
  const before = t.db.writeTransactions
  for (let k = 0; k < 20; k++) expect((await t.post('/claims', claimOf(4))).body.jobs).toEqual([])
  expect(t.db.writeTransactions).toBe(before)
})

test('S57 POST /claims with the same claim_id gives the same jobs and tokens, and claims nothing new', async () => {
  await start('ann', 3)
  await start('bob', 3)
  const claim = claimOf(4)
  const first = await t.post('/claims', claim)
  const second = await t.post('/claims', claim)
  const facts = (reply: typeof first) =>
    reply.body.jobs.map((job: Record<string, unknown>) => [job.id, job.claim_token, job.compute_node_id]).sort()
  expect(facts(first)).toHaveLength(4)
  expect(facts(second)).toEqual(facts(first))
})

test('POST /claims applies completions of many workflows with a verdict for each, and claims what they made ready', async () => {
  const chain = () => startWorkflow(t, workflowOf([jobOf('first'), jobOf('then', { dependsOn: [0] })]))
  const [a, b] = [await chain(), await chain()]
  const { jobs } = (await t.post('/claims', claimOf(4))).body
  expect(jobs).toHaveLength(2)
  const completions = jobs.map(endOf)
  const stranger = { ...completions[0], job_id: 77_777, result: { ...completions[0].result, workflow_id: 55_555 } }
  const reply = await t.post(
    '/claims',
    claimOf(4, { completions: [completions[0], stranger, completions[1]], verdicts: true }),
  )
  expect(reply.body.verdicts.map((one: { code: string }) => one.code)).toEqual(['accepted', 'not_found', 'accepted'])
  expect(workflowsOf(reply).sort()).toEqual([a.workflowId, b.workflowId])
  expect(await statusesOf(t, a.workflowId)).toEqual(['completed', 'running'])
})

test('POST /claims keeps a runner free for a large job of one workflow that small ones of another passed for too long', async () => {
  const small = await start('ann', 30)
  const requirements = requirementsOf('large', { numCpus: 4 })
  const large = await startWorkflow(
    t,
    workflowOf([jobOf('large', { resourceRequirements: 0 })], { resourceRequirements: [requirements] }),
  )
  const total = { num_cpus: 4, memory_gb: 8, num_gpus: 0 }
  const first = await t.post('/claims', claimOf(3, { total }))
  expect(workflowsOf(first)).toEqual([small, small, small])
  const compute_nodes = first.body.jobs.map((job: { compute_node_id: number }) => job.compute_node_id)
  t.clock.now += 59_000
  await t.post('/claims/heartbeat', { claims: first.body.jobs })
  t.clock.now += 2_000
  const known = (await t.get(`/compute_nodes?workflow_id=${large.workflowId}`)).body.items.map(
    (node: { id: number }) => node.id,
  )
  const nodes = [...compute_nodes, ...known]
  expect(workflowsOf(await t.post('/claims', claimOf(1, { total, compute_nodes: nodes })))).toEqual([])
  const completions = first.body.jobs.map(endOf)
  expect(workflowsOf(await t.post('/claims', claimOf(4, { total, compute_nodes: nodes, completions })))).toEqual([
    large.workflowId,
  ])
})

test('POST /claims/heartbeat renews the leases of all nodes in one request, and tells what is lost or canceled', async () => {
  await start('ann', 2)
  const b = await start('bob', 2)
  const { jobs } = (await t.post('/claims', claimOf(4))).body
  t.clock.now += 60_000
  await t.put(`/workflows/${b}/cancel`)
  const reply = await t.post('/claims/heartbeat', {
    claims: [...jobs, { compute_node_id: 4_711, job_id: 9_999, claim_token: 'x' }].map(job => ({
      ...job,
      job_id: job.id ?? job.job_id,
    })),
  })
  const ofBob = jobs
    .filter((job: { workflow_id: number }) => job.workflow_id === b)
    .map((job: { id: number }) => job.id)
  expect(reply.body.lost).toEqual([9_999])
  expect(reply.body.cancel.sort()).toEqual(ofBob.sort())
  expect(reply.body.lease_expires_at).toBe(t.clock.now + 120_000)
})

test('POST /claims/release gives jobs of many nodes back, and /claims/summary adds up', async () => {
  const a = await start('ann', 2)
  await start('bob', 2)
  const { jobs } = (await t.post('/claims', claimOf(4))).body
  const compute_nodes = jobs.map((job: { compute_node_id: number }) => job.compute_node_id)
  const claims = jobs.map((job: { id: number }) => ({ ...job, job_id: job.id }))
  expect((await t.post('/claims/release', { claims })).body.released.sort()).toEqual(
    jobs.map((job: { id: number }) => job.id).sort(),
  )
  await t.put(`/workflows/${a}/cancel`)
  expect((await t.post('/claims/summary', { compute_nodes })).body).toMatchObject({
    workflows: 2,
    total_jobs: 4,
    jobs_by_status: { ready: 4 },
    is_complete: false,
    canceled_workflows: [a],
    active_compute_nodes: 4,
  })
})

test('POST /claims refuses a lease without saying what the node is like', async () => {
  expect((await t.post('/claims', { limit: 1, lease_seconds: 120 })).status).toBe(422)
  await start('ann', 1)
  expect((await t.post('/claims', { limit: 1 })).body.jobs).toMatchObject([{ status: 'pending' }])
})

test('POST /claims costs as many statements with a hundred workflows as with one, and few rows of each', async () => {
  const costs: { statements: number; rows: number }[] = []
  for (const workflows of [1, 99]) {
    for (let k = 0; k < workflows; k++) await start('ann', 2)
    const cost = { statements: 0, rows: 0 }
    const count = {
      after(_: unknown, rows: readonly unknown[]) {
        cost.statements++
        cost.rows += rows.length
      },
    }
    const reply = await postOver(t, watchDb(t.db, count))('/claims', claimOf(1))
    expect(reply.body.jobs).toHaveLength(1)
    costs.push(cost)
  }
  expect(costs[1]!.statements).toBe(costs[0]!.statements)
  expect(costs[1]!.rows).toBeLessThan(1_000)
})

test('POST /claims and a client that knows no leases drain one workflow side by side, each job once', async () => {
  const workflowId = await start('ann', 12)
  const nodeId = await seedNode(t, workflowId)
  const ends: number[] = []
  for (let k = 0; k < 3; k++) {
    const [ours, theirs] = await Promise.all([
      t.post('/claims', claimOf(2)),
      t.post(`/workflows/${workflowId}/claim_next_jobs?limit=2`),
    ])
    for (const { id } of theirs.body.jobs) {
      expect((await t.put(`/jobs/${id}/start_job/0/${nodeId}`)).status).toBe(200)
      const { result } = completionOf({ workflowId, nodeId, jobs: [] }, id)
      expect((await t.post(`/jobs/${id}/complete_job/completed/0`, result)).status).toBe(200)
    }
    await t.post('/claims', { limit: 0, completions: ours.body.jobs.map(endOf) })
    ends.push(...[...ours.body.jobs, ...theirs.body.jobs].map((job: Claimed) => job.id))
  }
  expect(new Set(ends).size).toBe(12)
  expect(new Set(await statusesOf(t, workflowId))).toEqual(new Set(['completed']))
})

test('POST /compute_nodes/{id}/release gives back the rest without what is kept', async () => {
  await start('ann', 3)
  const { jobs } = (await t.post('/claims', claimOf(3))).body
  const [goesOn, ...others]: Claimed[] = jobs
  const reply = await t.post(`/compute_nodes/${goesOn!.compute_node_id}/release`, { rest: true, kept: [goesOn!.id] })
  expect(reply.body.released.sort()).toEqual(others.map(job => job.id).sort())
  expect((await t.get(`/jobs/${goesOn!.id}`)).body.status).toBe('running')
})
