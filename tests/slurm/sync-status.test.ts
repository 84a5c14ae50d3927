import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Listing, Verdict } from '../../runner/schedulers/types.ts'
import { findLost, settleLost } from '../../runner/slurm/sync-status.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedNode } from '../helpers/seed.ts'
import { independent, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'
import { askedOf } from './app-client.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const noPause = async () => {}

/** A queue that says this of each id, one listing after the other; the last one stays. */
function queue(...listings: (Record<string, Verdict> | 'silent')[]) {
  let asked = 0
  return {
    async list({ ids }: { ids: readonly string[] }): Promise<Listing> {
      const said = listings[Math.min(asked++, listings.length - 1)]!
      if (said === 'silent') return { kind: 'unknown', startedAtMs: 1_000, message: 'no answer' }
      const elements = Object.entries(said).flatMap(([allocation, state]) =>
        state === 'gone' ? [] : [{ allocation, state, word: state, stuck: false, name: 'x' }],
      )
      const gone = new Set(ids.filter(id => said[id] === undefined || said[id] === 'gone'))
      return { kind: 'listed', startedAtMs: 1_000, elements, gone }
    },
  }
}

/** A workflow with an allocation whose runner has started jobs. */
async function underWay(jobs = 2) {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(jobs), { lossBudget: 1 }))
  const allocation = await schedule(workflowId, 77)
  const nodeId = await seedNode(t, workflowId, {
    compute_node_type: 'slurm',
    is_active: true,
    scheduler: { scheduler_id: allocation, type: 'slurm', slurm_job_id: '77' },
  })
  await claim(workflowId, nodeId, jobs)
  return { workflowId, nodeId, allocation }
}

async function schedule(workflowId: number, id: number): Promise<number> {
  const reply = await t.post('/scheduled_compute_nodes', {
    workflow_id: workflowId,
    scheduler_id: id,
    scheduler_config_id: 1,
    scheduler_type: 'slurm',
    status: 'active',
  })
  return reply.body.id
}

async function claim(workflowId: number, nodeId: number, jobs: number): Promise<void> {
  const reply = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/${jobs}`, {
    num_cpus: 8,
    memory_gb: 8,
    num_gpus: 0,
    num_nodes: 1,
    lease_seconds: 120,
    compute_node_id: nodeId,
    start: true,
  })
  expect(reply.body.jobs).toHaveLength(jobs)
}

const statusOfAllocation = async (id: number) => (await t.get(`/scheduled_compute_nodes/${id}`)).body.status

describe('findLost()', () => {
  test('finds an allocation that two listings lack, with its runners and their jobs', async () => {
    const { workflowId, nodeId } = await underWay()
    const found = await findLost(workflowId, askedOf(t), queue({}), noPause)
    expect(found).toMatchObject({
      kind: 'looked',
      alive: [],
      lost: [{ node: { scheduler_id: 77 }, runners: [{ id: nodeId }], status: 'complete', jobs: [{}, {}] }],
    })
  })

  test('takes one for alive that the second listing has', async () => {
    const { workflowId } = await underWay()
    const found = await findLost(workflowId, askedOf(t), queue({}, { 77: 'queued' }), noPause)
    expect(found).toMatchObject({ lost: [], alive: [{ scheduler_id: 77 }] })
  })

  test('concludes nothing from a queue that does not answer, be it the second time', async () => {
    const { workflowId } = await underWay()
    expect(await findLost(workflowId, askedOf(t), queue('silent'), noPause)).toMatchObject({ kind: 'unknown' })
    expect(await findLost(workflowId, askedOf(t), queue({}, 'silent'), noPause)).toMatchObject({ kind: 'unknown' })
  })

  test('calls one canceled that never had a runner, and asks nobody when none is open', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    const never = { list: () => Promise.reject(new Error('asked')) }
    expect(await findLost(workflowId, askedOf(t), never, noPause)).toEqual({ kind: 'looked', lost: [], alive: [] })
    await schedule(workflowId, 78)
    const found = await findLost(workflowId, askedOf(t), queue({}), noPause)
    expect(found).toMatchObject({ lost: [{ status: 'canceled', runners: [], jobs: [] }] })
  })
})

describe('settleLost()', () => {
  async function lose(workflowId: number) {
    const found = await findLost(workflowId, askedOf(t), queue({}), noPause)
    if (found.kind !== 'looked') throw new Error(found.message)
    return settleLost(found.lost[0]!, askedOf(t))
  }

  test('has the jobs run again as their next attempt, spending the loss budget only', async () => {
    const { workflowId, nodeId, allocation } = await underWay()
    const settled = await lose(workflowId)
    expect(settled.again).toHaveLength(2)
    expect(settled.failed).toEqual([])
    expect(await statusesOf(t, workflowId)).toEqual(['ready', 'ready'])
    const { items } = (await t.get(`/jobs?workflow_id=${workflowId}`)).body
    expect(items.map((job: { attempt_id: number }) => job.attempt_id)).toEqual([2, 2])
    expect((await t.get(`/jobs/${items[0].id}/attempts`)).body.items).toMatchObject([{ failure_class: 'node_lost' }])
    expect((await t.get(`/compute_nodes/${nodeId}`)).body.is_active).toBe(false)
    expect(await statusOfAllocation(allocation)).toBe('complete')
  })

  test('fails jobs whose loss budget is spent', async () => {
    const { workflowId } = await underWay(1)
    await lose(workflowId)
    const allocation = await schedule(workflowId, 79)
    const nodeId = await seedNode(t, workflowId, { is_active: true, scheduler: { scheduler_id: allocation } })
    await claim(workflowId, nodeId, 1)
    const settled = await lose(workflowId)
    expect(settled).toMatchObject({ again: [] })
    expect(settled.failed).toHaveLength(1)
    expect(await statusesOf(t, workflowId)).toEqual(['failed'])
  })
})
