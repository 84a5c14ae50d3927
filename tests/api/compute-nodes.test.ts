import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

it('POST /compute_nodes registers an active node with its labels as a set', async () => {
  const id = await seedNode(t, workflow, { labels: ['b', 'a', 'b'], scheduler: { scheduler_id: 7, type: 'slurm' } })
  expect((await t.get(`/compute_nodes/${id}`)).body).toEqual({
    id,
    workflow_id: workflow,
    hostname: 'node-1',
    pid: 1,
    start_time: '2026-01-01T00:00:00Z',
    is_active: true,
    num_cpus: 4,
    memory_gb: 8,
    num_gpus: 0,
    num_nodes: 1,
    compute_node_type: 'local',
    labels: ['a', 'b'],
    scheduler: { scheduler_id: 7, type: 'slurm' },
  })
})

it('PUT /compute_nodes changes what is there, but never the labels, and tells the stream of the end', async () => {
  const id = await seedNode(t, workflow, { labels: ['a'] })
  const { body } = await t.put(`/compute_nodes/${id}`, {
    is_active: false,
    duration_seconds: 9.5,
    labels: ['z'],
    hostname: null,
  })
  expect(body).toMatchObject({ id, is_active: false, duration_seconds: 9.5, labels: ['a'], hostname: 'node-1' })
  const types = await t.db.read(function* () {
    const [rows] = yield [
      {
        sql: `SELECT type FROM stream_event WHERE workflow_id = ? AND data->>'$.compute_node_id' = ? ORDER BY seq`,
        args: [workflow, id],
      },
    ]
    return rows!.map((row: { type: string }) => row.type)
  })
  expect(types).toEqual(['compute_node_started', 'compute_node_stopped'])
})

it('GET /compute_nodes filters by part of the host, activity and allocation, with a right total', async () => {
  const id = await seedWorkflow(t)
  const active = await seedNode(t, id, { hostname: 'Login-A', scheduler: { scheduler_id: 7 } })
  const inactive = await seedNode(t, id, { hostname: 'node-b', is_active: false })
  const list = async (query: string) => {
    const { body } = await t.get(`/compute_nodes?workflow_id=${id}&${query}`)
    expect(body.total_count).toBe(body.items.length)
    return body.items.map((item: { id: number }) => item.id)
  }
  expect(await list('hostname=login')).toEqual([active])
  expect(await list('is_active=true')).toEqual([active])
  expect(await list('is_active=false')).toEqual([inactive])
  expect(await list('scheduled_compute_node_id=7')).toEqual([active])
})

it('DELETE /compute_nodes refuses a node that holds jobs, and keeps the results of one that goes', async () => {
  const id = await seedWorkflow(t)
  const node = await seedNode(t, id)
  const free = await seedNode(t, id)
  const job = await seedJob(t, id)
  const done = await seedJob(t, id)
  await t.post('/results', resultOf(id, done, free))
  await setStatus(t, job, 'pending')
  await t.put(`/jobs/${job}/start_job/0/${node}`)
  expect((await t.del(`/compute_nodes/${node}`)).status).toBe(422)
  expect((await t.del(`/compute_nodes?workflow_id=${id}`)).body).toEqual({ count: 1 })
  expect((await t.get(`/results?workflow_id=${id}`)).body.items).toMatchObject([
    { job_id: done, compute_node_id: free },
  ])
  await t.put(`/jobs/${job}/manage_status_change/ready/0`)
  expect((await t.del(`/compute_nodes/${node}`)).body.id).toBe(node)
})

it('POST and PUT /compute_nodes keep what the client wrote, whatever it is', async () => {
  const id = await seedWorkflow(t)
  const words = { start_time: 'this morning', end_time: 'tonight', memory_gb: 1.5 }
  const node = await seedNode(t, id, { ...words, scheduler: {} })
  expect((await t.get(`/compute_nodes/${node}`)).body).toMatchObject({ ...words, scheduler: {} })
  for (const scheduler of [0, false, '', []])
    expect((await t.put(`/compute_nodes/${node}`, { scheduler })).body.scheduler).toEqual(scheduler)
})
