import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedNode, seedWorkflow } from '../helpers/seed.ts'
import { chain, independent, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

let names = 0
const nameOf = (n: number): string => `hr-${n.toString(16).padStart(8, '0')}`

const newAllocation = (fields: object = {}) => ({
  plan: 'default',
  name: nameOf(names++),
  scheduler_type: 'slurm',
  cluster: 'slurm',
  queue: '',
  width: 2,
  nodes: 1,
  cores: 4,
  memory_bytes: 2 ** 30,
  gpus: 0,
  walltime_seconds: 3_600,
  directory: '/scratch/a',
  ...fields,
})

const allocate = async (id: number, fields: object = {}) =>
  (await t.post(`/workflows/${id}/allocations`, newAllocation(fields))).body
const change = (id: number, allocation: { id: number }, body: object) =>
  t.put(`/workflows/${id}/allocations/${allocation.id}`, body)
const demandOf = async (id: number) =>
  (await t.get(`/workflows/${id}/allocation_demand?plan=default&cluster=slurm`)).body

describe('/workflows/{id}/allocation_plans', () => {
  it('keeps one plan by its name, and makes a stopped one active again', async () => {
    const id = await seedWorkflow(t)
    const path = `/workflows/${id}/allocation_plans`
    const first = await t.post(path, { name: 'default', config: { nodes_most: 3 } })
    expect([first.status, first.body]).toEqual([
      200,
      expect.objectContaining({ name: 'default', config: { nodes_most: 3 }, state: 'active', pauses: {} }),
    ])
    await t.put(`${path}/${first.body.id}`, { state: 'stopped' })
    const again = await t.post(path, { name: 'default', config: { nodes_most: 5 } })
    expect(again.body).toMatchObject({ id: first.body.id, config: { nodes_most: 5 }, state: 'active' })
    expect((await t.get(path)).body).toMatchObject({ count: 1, items: [{ id: first.body.id }] })
  })

  it('forgets why queues were paused when it is resumed, and from when failures count', async () => {
    const id = await seedWorkflow(t)
    const path = `/workflows/${id}/allocation_plans`
    const { body: plan } = await t.post(path, { name: 'default', config: {} })
    const pauses = { debug: { reason: 'refused', since: 1 } }
    const paused = await t.put(`${path}/${plan.id}`, { state: 'paused', pauses })
    expect(paused.body).toMatchObject({ state: 'paused', pauses })
    t.clock.now += 5_000
    const resumed = await t.put(`${path}/${plan.id}`, { state: 'active' })
    expect(resumed.body).toMatchObject({ state: 'active', pauses: {}, since: plan.since + 5_000 })
  })

  it('refuses what is no plan, and plans of other workflows', async () => {
    const id = await seedWorkflow(t)
    const other = await seedWorkflow(t)
    const path = `/workflows/${id}/allocation_plans`
    const bodies = [{ name: 'a b', config: {} }, { name: 'a', config: [] }, { name: 'a' }, { config: {} }]
    for (const body of bodies) expect((await t.post(path, body)).status).toBe(422)
    const { body: plan } = await t.post(path, { name: 'a', config: {} })
    expect((await t.put(`${path}/${plan.id}`, { state: 'lazy' })).status).toBe(422)
    expect((await t.put(`/workflows/${other}/allocation_plans/${plan.id}`, { state: 'paused' })).status).toBe(404)
    expect((await t.get('/workflows/999999/allocation_plans')).status).toBe(404)
  })
})

describe('/workflows/{id}/allocations', () => {
  it('S36 has no scheduled compute node before the scheduler has acknowledged, nor after a refusal', async () => {
    const id = await seedWorkflow(t)
    const nodes = async () => (await t.get(`/scheduled_compute_nodes?workflow_id=${id}`)).body.items
    const refused = await allocate(id)
    expect(refused).toMatchObject({ state: 'submitting', width: 2 })
    await change(id, refused, { state: 'refused', message: 'Invalid account' })
    expect(await nodes()).toEqual([])
    const taken = await allocate(id)
    const queued = await change(id, taken, { state: 'queued', scheduler_id: '123[].srv', submitted_at: 77 })
    expect(queued.body).toMatchObject({ state: 'queued', scheduler_id: '123[].srv', submitted_at: 77 })
    expect(await nodes()).toEqual([
      expect.objectContaining({ scheduler_id: 123, scheduler_type: 'slurm', status: 'pending' }),
    ])
    await change(id, taken, { state: 'running' })
    expect((await nodes())[0].status).toBe('active')
    const ended = await change(id, taken, { state: 'ended' })
    expect(ended.body).toMatchObject({ started_at: t.clock.now, ended_at: t.clock.now })
    expect((await nodes())[0].status).toBe('complete')
  })

  it('takes the row that a quick runner has made of its allocation', async () => {
    const id = await seedWorkflow(t)
    const row = { workflow_id: id, scheduler_id: 55, scheduler_config_id: 0, scheduler_type: 'slurm', status: 'active' }
    const { body: made } = await t.post('/scheduled_compute_nodes', row)
    const one = await allocate(id)
    const moved = await change(id, one, { state: 'running', scheduler_id: '55' })
    expect(moved.body.scheduled_compute_node_id).toBe(made.id)
  })

  it('S13 refuses a move that is none, with both states, and changes nothing; the same again is fine', async () => {
    const id = await seedWorkflow(t)
    const one = await allocate(id)
    await change(id, one, { state: 'queued', scheduler_id: '7' })
    expect((await change(id, one, { state: 'queued' })).status).toBe(200)
    await change(id, one, { state: 'ended' })
    const refused = await change(id, one, { state: 'running' })
    expect([refused.status, refused.body.error.code]).toEqual([422, 'illegal_status'])
    expect(refused.body.error.message).toContain('from ended to running')
    expect((await t.get(`/workflows/${id}/allocations`)).body.items[0].state).toBe('ended')
  })

  it('keeps the backlog of a queue over all workflows, whoever asks', async () => {
    const one = await seedWorkflow(t)
    const two = await seedWorkflow(t)
    const queue = { queue: 'crowded', backlog: 2 }
    const first = await allocate(one, queue)
    await allocate(two, queue)
    const refused = await t.post(`/workflows/${one}/allocations`, newAllocation(queue))
    expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict'])
    await change(one, first, { state: 'running', scheduler_id: '1' })
    expect((await t.post(`/workflows/${one}/allocations`, newAllocation(queue))).status).toBe(200)
    expect((await t.post(`/workflows/${one}/allocations`, newAllocation({ ...queue, queue: 'free' }))).status).toBe(200)
  })

  it('refuses what is no allocation', async () => {
    const id = await seedWorkflow(t)
    for (const fields of [{ name: 'x' }, { width: 0 }, { cores: 0 }, { walltime_seconds: 0 }, { plan: '' }]) {
      expect((await t.post(`/workflows/${id}/allocations`, newAllocation(fields))).status).toBe(422)
    }
    expect((await change(id, { id: 999_999 }, { state: 'ended' })).status).toBe(404)
  })

  it('refuses a name that another request has, of whatever workflow', async () => {
    const [one, two] = [await seedWorkflow(t), await seedWorkflow(t)]
    const { name } = await allocate(one)
    for (const id of [one, two]) {
      const refused = await t.post(`/workflows/${id}/allocations`, newAllocation({ name }))
      expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict'])
    }
  })

  it('tells its story in the stream of events', async () => {
    const id = await seedWorkflow(t)
    const one = await allocate(id)
    await change(id, one, { state: 'queued', scheduler_id: '9' })
    await change(id, one, { unneeded: true })
    await change(id, one, { state: 'canceled' })
    const response = await t.app.request(`/v1/workflows/${id}/events/stream?types=all&level=debug`, {
      headers: { 'last-event-id': '0' },
    })
    const reader = response.body!.getReader()
    let text = ''
    while (!text.includes('"canceled"')) text += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    const states = [...text.matchAll(/"state":"(\w+)"/g)].map(([, state]) => state)
    expect(states).toEqual(['submitting', 'queued', 'canceled'])
  })
})

describe('GET /workflows/{id}/allocation_demand', () => {
  it('counts ready jobs by what they need, and no blocked one', async () => {
    const workflow = workflowOf([...independent(3, { resourceRequirements: 0 }), ...chain(4)], {
      resourceRequirements: [requirementsOf('big', { numCpus: 8, runtimeSeconds: 600 })],
    })
    const { workflowId } = await startWorkflow(t, workflow)
    const { groups } = await demandOf(workflowId)
    expect(groups).toHaveLength(2)
    expect(groups).toContainEqual(
      expect.objectContaining({ cpus: 8, runtime_seconds: 600, count: 3, nodes: 1, labels: '', scheduler_id: null }),
    )
    // Of a chain one job is ready.
    expect(groups).toContainEqual(expect.objectContaining({ cpus: 1, count: 1 }))
  })

  it('has nothing ready for anybody in a canceled workflow', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(2)))
    await t.put(`/workflows/${workflowId}/cancel`)
    expect((await demandOf(workflowId)).groups).toEqual([])
  })

  it('shows what runners have, use and have left, and whose allocation they are in', async () => {
    const { workflowId, nodeId } = await startWorkflow(t, workflowOf(independent(2)))
    const start_time = new Date(t.clock.now).toISOString()
    const body = { allocation: 'hr-00000abc', worker: 3 }
    await t.put(`/compute_nodes/${nodeId}`, { start_time, time_limit: 'PT10M', scheduler: body })
    const offer = { num_cpus: 2, memory_gb: 4, num_gpus: 0, num_nodes: 1, compute_node_id: nodeId, start: true }
    await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/1`, { ...offer, lease_seconds: 60 })
    t.clock.now += 15_000
    const { runners } = await demandOf(workflowId)
    expect(runners).toEqual([
      expect.objectContaining({
        id: nodeId,
        allocation: 'hr-00000abc',
        worker: 3,
        used_cpus: 1,
        busy_seconds: 45,
        seconds_left: 585,
      }),
    ])
  })

  it('shows open requests and the last that ended, with their runners; a killed one is not active any more', async () => {
    const id = await seedWorkflow(t)
    const one = await allocate(id)
    await change(id, one, { state: 'running', scheduler_id: '1' })
    await seedNode(t, id, { scheduler: { allocation: one.name, worker: 1 } })
    const first = await demandOf(id)
    expect(first.allocations).toMatchObject([{ name: one.name, registered_runners: 1, active_runners: 1 }])
    await change(id, one, { state: 'ended' })
    const then = await demandOf(id)
    expect(then.allocations).toMatchObject([{ state: 'ended', registered_runners: 1, active_runners: 0 }])
    expect(then.runners).toEqual([])
    const none = await t.get(`/workflows/${id}/allocation_demand?plan=default&cluster=slurm&over=0`)
    expect(none.body.allocations).toEqual([])
  })

  it('counts what queues were asked for lately: by the minute, and node seconds by the day', async () => {
    const id = await seedWorkflow(t)
    const ask = (fields: object) => allocate(id, { cluster: 'counted', ...fields })
    await ask({ queue: 'a', width: 3, nodes: 2, walltime_seconds: 100 })
    t.clock.now += 61_000
    const refused = await ask({ queue: 'a' })
    await change(id, refused, { state: 'refused' })
    const { body } = await t.get(`/workflows/${id}/allocation_demand?plan=default&cluster=counted`)
    expect(body.queues).toEqual([{ queue: 'a', backlog: 1, submitted_last_minute: 1, node_seconds_last_day: 600 }])
  })
})

describe('/workflows/{id}/duties', () => {
  const take = (id: number, holder: string, fields: object = {}) =>
    t.post(`/workflows/${id}/duties`, { name: 'watch', holder, lease_seconds: 60, ...fields })

  it('gives a duty to one holder at a time, until it lapses or is given back', async () => {
    const id = await seedWorkflow(t)
    expect((await take(id, 'a')).body).toMatchObject({ holder: 'a', expires_at: t.clock.now + 60_000 })
    expect((await take(id, 'a')).status).toBe(200)
    const refused = await take(id, 'b')
    expect([refused.status, refused.body.error]).toMatchObject([409, { code: 'conflict', holder: 'a' }])
    t.clock.now += 60_001
    expect((await take(id, 'b')).status).toBe(200)
    expect((await take(id, 'a', { lease_seconds: 0 })).status).toBe(409)
    expect((await take(id, 'b', { lease_seconds: 0 })).body.holder).toBeUndefined()
    expect((await take(id, 'a')).status).toBe(200)
  })

  it('hands what a holder knew to the next', async () => {
    const id = await seedWorkflow(t)
    await take(id, 'a', { state: { recoveries: 2 } })
    await take(id, 'a', { lease_seconds: 0 })
    expect((await take(id, 'b')).body.state).toEqual({ recoveries: 2 })
    expect((await t.get(`/workflows/${id}/duties`)).body).toMatchObject({ count: 1, items: [{ holder: 'b' }] })
  })

  it('knows each duty of each workflow apart', async () => {
    const one = await seedWorkflow(t)
    const two = await seedWorkflow(t)
    const taken = [await take(one, 'a'), await take(two, 'b'), await take(one, 'b', { name: 'allocate.default' })]
    expect(taken.map(reply => reply.status)).toEqual([200, 200, 200])
  })

  it('refuses what is no claim of a duty', async () => {
    const id = await seedWorkflow(t)
    for (const fields of [{ holder: '' }, { lease_seconds: -1 }, { lease_seconds: 4_000 }, { name: 'a b' }]) {
      expect((await take(id, 'a', fields)).status).toBe(422)
    }
    expect((await take(999_999, 'a')).status).toBe(404)
  })
})
