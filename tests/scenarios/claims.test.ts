import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { seedNode } from '../helpers/seed.ts'
import {
  chain,
  independent,
  jobOf,
  requirementsOf,
  startWorkflow,
  statusesOf,
  workflowOf,
} from '../helpers/workflow.ts'
import { postOver } from '../helpers/wrapped-db.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const NODE = { num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1 }
type Job = { id: number; name: string; claim_token: string; status: string; fence: number; lease_expires_at?: number }

it('S1 one ready job and twenty claimers at once: one gets it, and one token exists', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, k) =>
      k % 2 === 0
        ? t.post(`/workflows/${workflowId}/claim_next_jobs?limit=5`)
        : t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/5`, NODE),
    ),
  )
  expect(replies.map(reply => reply.status)).toEqual(Array(20).fill(200))
  const jobs: Job[] = replies.flatMap(reply => reply.body.jobs)
  expect(jobs).toHaveLength(1)
  expect(await statusesOf(t, workflowId)).toEqual(['pending'])
})

it('S57 a claim sent again with its claim_id gives the same jobs and tokens, and claims nothing new', async () => {
  const { workflowId, nodeId } = await startWorkflow(t, workflowOf(independent(5)))
  const body = { ...NODE, claim_id: 'claim-0001', lease_seconds: 60, compute_node_id: nodeId, start: true }
  const first = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/2`, body)
  const again = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/2`, body)
  expect(first.body.jobs).toHaveLength(2)
  expect(again.body).toEqual(first.body)
  expect(await statusesOf(t, workflowId)).toEqual(['running', 'running', 'ready', 'ready', 'ready'])
})

it('S57 a repeated claim gives back only what is still held, and remembers each workflow apart', async () => {
  const one = await startWorkflow(t, workflowOf(independent(2)))
  const other = await startWorkflow(t, workflowOf(independent(2)))
  const claim = (id: number) => t.post(`/workflows/${id}/claim_next_jobs?limit=2`, { claim_id: 'claim-0002' })
  const { jobs } = (await claim(one.workflowId)).body
  await t.post(`/workflows/${one.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(one, jobs[0].id, { claim_token: jobs[0].claim_token })],
  })
  expect((await claim(one.workflowId)).body.jobs).toEqual([jobs[1]])
  expect((await claim(other.workflowId)).body.jobs.map((job: Job) => job.id)).toEqual(other.jobs)
})

it('S61 nothing ready fits and 200 runners poll: no write transaction begins', async () => {
  const big = { resourceRequirements: [requirementsOf('big', { numCpus: 16 })] }
  const { workflowId } = await startWorkflow(t, workflowOf(independent(3, { resourceRequirements: 0 }), big))
  const before = t.db.writeTransactions
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/4`, NODE)),
  )
  expect(new Set(replies.map(reply => JSON.stringify(reply.body)))).toEqual(new Set(['{"jobs":[]}']))
  expect(t.db.writeTransactions).toBe(before)
})

it('S61 a node that is kept free for a large job polls without a write transaction until that job fits', async () => {
  const { poll } = await keptFree()
  const before = t.db.writeTransactions
  for (let k = 0; k < 5; k++) expect((await poll({ num_cpus: 1 })).body.jobs).toEqual([])
  expect(t.db.writeTransactions).toBe(before)
  expect((await poll({ num_cpus: 4 })).body.jobs).toMatchObject([{ name: 'large' }])
})

it('S62 the candidate is taken between the probe and the claim: an empty list, not a failure', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  const rival: Job[] = []
  const post = postOver(t, {
    ...t.db,
    async write(unit) {
      rival.push(...(await t.post(`/workflows/${workflowId}/claim_next_jobs`)).body.jobs)
      return t.db.write(unit)
    },
  })
  const reply = await post(`/workflows/${workflowId}/claim_next_jobs`, {})
  expect(rival).toHaveLength(1)
  expect(reply).toMatchObject({ status: 200, body: { jobs: [] } })
})

it('S63 an unknown workflow is 404 without a write lock, and a limit of 0 or less is empty', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  const before = t.db.writeTransactions
  expect((await t.post('/workflows/999/claim_next_jobs')).status).toBe(404)
  expect((await t.post('/workflows/999/claim_jobs_based_on_resources/1', NODE)).status).toBe(404)
  for (const limit of [0, -1]) {
    expect((await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=${limit}`)).body).toEqual({ jobs: [] })
    expect((await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/${limit}`, NODE)).body).toEqual({
      jobs: [],
    })
  }
  expect(t.db.writeTransactions).toBe(before)
})

it('S64 a bad time limit is 422 with the field and its value, after a missing and a canceled workflow', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  const claim = (id: number) =>
    t.post(`/workflows/${id}/claim_jobs_based_on_resources/1`, { ...NODE, time_limit: '2 hours' })
  expect((await claim(workflowId)).body.error).toMatchObject({ code: 'invalid', field: 'time_limit', value: '2 hours' })
  expect((await claim(999)).status).toBe(404)
  await t.put(`/workflows/${workflowId}/cancel`, {})
  expect((await claim(workflowId)).body).toEqual({ jobs: [], reason: 'Workflow is canceled' })
  expect((await t.post(`/workflows/${workflowId}/claim_next_jobs`)).body).toEqual({ jobs: [] })
})

it.each([
  ['lease_seconds', { lease_seconds: 60 }],
  ['start', { start: true }],
])('a claim with %s needs a node of this workflow, else it is 422 naming compute_node_id', async (_, extra) => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  const elsewhere = await startWorkflow(t, workflowOf(independent(1)))
  for (const body of [extra, { ...extra, compute_node_id: 999 }, { ...extra, compute_node_id: elsewhere.nodeId }]) {
    for (const reply of [
      await t.post(`/workflows/${workflowId}/claim_next_jobs`, body),
      await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/1`, { ...NODE, ...body }),
    ]) {
      expect(reply.status).toBe(422)
      expect(reply.body.error.field).toBe('compute_node_id')
    }
  }
  expect(await statusesOf(t, workflowId)).toEqual(['ready'])
})

it('S65 priorities 0, 5 and 10 come as 10, 5, 0, and a GPU job comes before CPU jobs of its priority', async () => {
  const jobs = [jobOf('low'), jobOf('middle', { priority: 5 }), jobOf('high', { priority: 10 })]
  const { workflowId } = await startWorkflow(t, workflowOf(jobs))
  const names: string[] = []
  for (let k = 0; k < 3; k++)
    names.push(
      ...(await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`)).body.jobs.map((job: Job) => job.name),
    )
  expect(names).toEqual(['high', 'middle', 'low'])

  const gpu = { resourceRequirements: [requirementsOf('gpu', { numGpus: 1 })] }
  const mixed = await startWorkflow(t, workflowOf([...independent(4), jobOf('gpu', { resourceRequirements: 0 })], gpu))
  const offer = { ...NODE, num_gpus: 1 }
  const { body } = await t.post(`/workflows/${mixed.workflowId}/claim_jobs_based_on_resources/1`, offer)
  expect(body.jobs).toMatchObject([{ name: 'gpu' }])
})

const LARGE = { resourceRequirements: [requirementsOf('large', { numCpus: 4 }), requirementsOf('small')] }
const largeAmongSmall = () => [
  jobOf('large', { resourceRequirements: 0 }),
  ...independent(40, { resourceRequirements: 1 }),
]

/** A node of four cores that has passed the large job over for a minute while it ran small ones. */
async function keptFree() {
  const started = await startWorkflow(t, workflowOf(largeAmongSmall(), LARGE))
  const poll = (offer: object, limit = 1) =>
    t.post(`/workflows/${started.workflowId}/claim_jobs_based_on_resources/${limit}`, {
      ...NODE,
      ...offer,
      total: { num_cpus: 4, memory_gb: 8 },
      compute_node_id: started.nodeId,
    })
  // Three cores are free: the large job comes first in the order and does not fit, so small ones pass it.
  expect((await poll({ num_cpus: 3 }, 2)).body.jobs).toHaveLength(2)
  t.clock.now += 60_000
  return { ...started, poll }
}

it('S65 a large job passed over for 60 s keeps smaller ones off the node until it fits, and not before', async () => {
  const { workflowId, nodeId, poll } = await keptFree()
  t.clock.now -= 1
  expect((await poll({ num_cpus: 1 })).body.jobs).toHaveLength(1)
  t.clock.now += 1
  expect((await poll({ num_cpus: 3 }, 3)).body.jobs).toEqual([])
  // Another node never passed it over, and a claim that does not tell its total honours nothing.
  const other = await seedNode(t, workflowId)
  const elsewhere = { ...NODE, num_cpus: 1, total: { num_cpus: 4, memory_gb: 8 }, compute_node_id: other }
  const claim = (body: object) => t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/1`, body)
  expect((await claim(elsewhere)).body.jobs).toHaveLength(1)
  expect((await claim({ ...NODE, num_cpus: 1, compute_node_id: nodeId })).body.jobs).toHaveLength(1)
  expect((await poll({ num_cpus: 4 }, 4)).body.jobs).toMatchObject([{ name: 'large' }])
  // Once it runs, the node takes small jobs again.
  expect((await poll({ num_cpus: 1 })).body.jobs).toHaveLength(1)
})

it('S65 held jobs count as passing a large one over, so that a runner that always holds some still drains for it', async () => {
  const started = await startWorkflow(t, workflowOf(largeAmongSmall(), LARGE))
  const claim = (limit: number, cpus: number) =>
    t.post(`/workflows/${started.workflowId}/claim_jobs_based_on_resources/${limit}`, {
      ...NODE,
      num_cpus: cpus,
      total: { num_cpus: 4, memory_gb: 8 },
      hold: { jobs: 2, num_cpus: 1, memory_gb: 8 },
      compute_node_id: started.nodeId,
    })
  expect((await claim(0, 0)).body.jobs).toHaveLength(2)
  t.clock.now += 60_000
  expect((await claim(0, 0)).body.jobs).toEqual([])
  expect((await claim(4, 4)).body.jobs).toMatchObject([{ name: 'large' }])
})

it('S52 held jobs come pending, never larger than the hold offer, and running ones never exceed the capacity', async () => {
  const { workflowId, nodeId } = await startWorkflow(t, workflowOf(largeAmongSmall(), LARGE))
  const { body } = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/2`, {
    ...NODE,
    num_cpus: 2,
    compute_node_id: nodeId,
    start: true,
    hold: { jobs: 3, num_cpus: 1, memory_gb: 1 },
  })
  const jobs: (Job & { resource_requirements: { num_cpus: number } })[] = body.jobs
  expect(jobs.map(job => job.status)).toEqual(['running', 'running', 'pending', 'pending', 'pending'])
  expect(jobs.map(job => job.resource_requirements.num_cpus)).toEqual([1, 1, 1, 1, 1])
})

it('S66 twenty chains of five and eight runners: each job claimed once, completed once, all drained', async () => {
  const jobs = Array.from({ length: 20 }, (_, k) =>
    chain(5).map(job => ({ ...job, dependsOn: job.dependsOn.map(at => at + 5 * k) })),
  ).flat()
  const started = await startWorkflow(t, workflowOf(jobs))
  const claimed: number[] = []
  const completed: number[] = []
  async function work(): Promise<void> {
    for (let idle = 0; idle < 20; ) {
      const { body } = await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=3`)
      idle = body.jobs.length === 0 ? idle + 1 : 0
      claimed.push(...body.jobs.map((job: Job) => job.id))
      const completions = body.jobs.map((job: Job) => completionOf(started, job.id, { claim_token: job.claim_token }))
      const reply = await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, { completions })
      expect(reply.body.errors).toEqual([])
      completed.push(...reply.body.completed)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  const sorted = (ids: number[]) => [...ids].sort((a, b) => a - b)
  expect(sorted(claimed)).toEqual(started.jobs)
  expect(sorted(completed)).toEqual(started.jobs)
  expect(new Set(await statusesOf(t, started.workflowId))).toEqual(new Set(['completed']))
})
