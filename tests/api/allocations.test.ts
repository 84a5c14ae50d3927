import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

const allocate = async (id: number, fields: object = {}) =>
  (
    await t.post('/scheduled_compute_nodes', {
      workflow_id: id,
      scheduler_id: 77,
      scheduler_config_id: 3,
      scheduler_type: 'slurm',
      status: 'pending',
      ...fields,
    })
  ).body

it('scheduled compute nodes are found by the id of the scheduler, and block a reset while they wait or run', async () => {
  const id = await seedWorkflow(t)
  const one = await allocate(id)
  await allocate(id, { scheduler_id: 78, status: 'canceled' })
  const ids = async (query: string) =>
    (await t.get(`/scheduled_compute_nodes?workflow_id=${id}&${query}`)).body.items.map(
      (item: { id: number }) => item.id,
    )
  expect(await ids('scheduler_id=77')).toEqual([one.id])
  expect(await ids('scheduler_id=abc')).toEqual([])
  expect(await ids('status=pending')).toEqual([one.id])
  const refused = await t.post(`/workflows/${id}/reset_status`)
  expect([refused.status, refused.body.error.message]).toEqual([422, expect.stringContaining('scheduled')])
  await t.put(`/scheduled_compute_nodes/${one.id}`, { status: 'complete' })
  expect((await t.post(`/workflows/${id}/reset_status`)).status).toBe(200)
})

it('running_jobs and slurm_job_correlations join jobs with their nodes and allocations', async () => {
  const id = await seedWorkflow(t)
  const allocation = await allocate(id, { status: 'active' })
  const node = await seedNode(t, id, { compute_node_type: 'slurm', scheduler: { scheduler_id: allocation.id } })
  const running = await seedJob(t, id, { name: 'running' })
  const lost = await seedJob(t, id, { name: 'lost' })
  const done = await seedJob(t, id, { name: 'done' })
  await setStatus(t, running, 'pending')
  await setStatus(t, lost, 'running')
  await t.put(`/jobs/${running}/start_job/0/${node}`)
  await t.post('/results', resultOf(id, done, node))
  await t.post('/results', resultOf(id, done, node, { run_id: 1 }))
  expect((await t.get(`/workflows/${id}/running_jobs`)).body).toMatchObject({
    total_count: 2,
    items: [
      {
        job_id: running,
        job_name: 'running',
        compute_node_name: 'node-1',
        scheduler_type: 'slurm',
        scheduler_job_id: '77',
        start_time: expect.any(String),
      },
      { job_id: lost, job_name: 'lost', compute_node_name: '', scheduler_type: 'unknown' },
    ],
  })
  expect((await t.get(`/workflows/${id}/slurm_job_correlations`)).body.items).toEqual([
    { slurm_job_id: '77', job_id: done, job_name: 'done' },
  ])
})

it('slurm_stats replaces what it knew of an attempt and clamps the page', async () => {
  const job = await seedJob(t, workflow)
  const stats = { workflow_id: workflow, job_id: job, run_id: 0, attempt_id: 1 }
  await t.post('/slurm_stats', { ...stats, max_rss_bytes: 1 })
  await t.post('/slurm_stats', { ...stats, max_rss_bytes: 2, node_list: 'n[1-2]' })
  expect((await t.get(`/slurm_stats?workflow_id=${workflow}&job_id=${job}&limit=200000`)).body).toMatchObject({
    max_limit: 100_000,
    total_count: 1,
    items: [{ max_rss_bytes: 2, node_list: 'n[1-2]' }],
  })
  expect((await t.post('/slurm_stats', { ...stats, workflow_id: await seedWorkflow(t) })).status).toBe(422)
})

it('local schedulers store all they are given and are filtered', async () => {
  const { body } = await t.post('/local_schedulers', { workflow_id: workflow, name: 'l', memory: '4g' })
  expect(body).toEqual({ id: body.id, workflow_id: workflow, name: 'l', memory: '4g' })
  expect((await t.put(`/local_schedulers/${body.id}`, { num_cpus: 3 })).body).toMatchObject({
    memory: '4g',
    num_cpus: 3,
  })
  expect((await t.get(`/local_schedulers?workflow_id=${workflow}&num_cpus=3&memory=4g`)).body.total_count).toBe(1)
  expect((await t.get(`/local_schedulers?workflow_id=${workflow}&num_cpus=4`)).body.total_count).toBe(0)
})

it('remote workers are listed by name, known ones stay, and one goes by its decoded name', async () => {
  const id = await seedWorkflow(t)
  const path = `/workflows/${id}/remote_workers`
  await t.post(path, ['user@host'])
  expect((await t.post(path, ['user@host', 'b', 'a'])).body).toEqual(
    ['user@host', 'b', 'a'].map(worker => ({ worker, workflow_id: id })),
  )
  expect((await t.get(path)).body.map((row: { worker: string }) => row.worker)).toEqual(['a', 'b', 'user@host'])
  expect((await t.del(`${path}/user%40host`)).body).toEqual({ worker: 'user@host', workflow_id: id })
  expect((await t.del(`${path}/user%40host`)).status).toBe(404)
})

it('RO-Crate entities are one for each id and file, and give metadata in the form the client reads', async () => {
  const id = await seedWorkflow(t)
  const file = await seedFile(t, id, 'f')
  const entity = { workflow_id: id, entity_id: '#a', entity_type: 'File', metadata: { x: 1 } }
  const { body } = await t.post('/ro_crate_entities', { ...entity, file_id: file })
  expect(body).toEqual({ id: body.id, ...entity, file_id: file })
  expect(
    (await t.get(`/ro_crate_entities/${body.id}`, { 'user-agent': 'OpenAPI-Generator/v0.7.0/rust' })).body.metadata,
  ).toBe('{"x":1}')
  for (const fields of [{}, { entity_id: '#b', file_id: file }]) {
    const { status, body: refused } = await t.post('/ro_crate_entities', { ...entity, ...fields })
    expect([status, refused.error.message]).toEqual([422, expect.stringContaining('already exists')])
  }
  const { body: other } = await t.post('/ro_crate_entities', { ...entity, entity_id: '#b', metadata: 'no json' })
  expect((await t.get(`/ro_crate_entities/${other.id}`, { 'x-torc-client-user': 'u' })).body.metadata).toEqual({})
  expect((await t.put(`/ro_crate_entities/${other.id}`, { ...entity, entity_id: '#a' })).status).toBe(422)
  expect((await t.put(`/ro_crate_entities/${other.id}`, { ...entity, entity_id: '#b' })).body.metadata).toEqual({
    x: 1,
  })
  expect((await t.get(`/workflows/${id}/ro_crate_entities?file_id=${file}`)).body.items).toMatchObject([
    { entity_id: '#a' },
  ])
  await t.del(`/files/${file}`)
  expect((await t.get(`/ro_crate_entities/${body.id}`)).body).not.toHaveProperty('file_id')
  expect((await t.del(`/ro_crate_entities/${other.id}`)).body.message).toEqual(expect.any(String))
  expect((await t.del(`/workflows/${id}/ro_crate_entities`)).body).toMatchObject({
    deleted_count: 1,
    count: 1,
    message: expect.any(String),
  })
})

it('the admin operations stay closed', async () => {
  expect((await t.post('/admin/sql', { sql: 'SELECT 1' })).body.error).toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('disabled'),
  })
  expect((await t.post('/admin/reload-auth')).status).toBe(422)
  expect((await t.get('/admin/audit-log')).body).toMatchObject({ items: [], total_count: 0 })
})
