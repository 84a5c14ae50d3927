import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

const make = async (fields: object) =>
  (await t.post('/resource_requirements', { workflow_id: workflow, name: 'r', ...fields })).body

it('POST /resource_requirements fills in defaults and gives texts back as they came', async () => {
  const defaults = { num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: '1m', runtime: 'PT1M' }
  expect(await make({})).toEqual({ id: expect.any(Number), workflow_id: workflow, name: 'r', ...defaults })
  expect(await make({ memory: '4G', runtime: 'P1DT2H' })).toMatchObject({ memory: '4G', runtime: 'P1DT2H' })
  expect(await make({ runtime: 'PT' })).toMatchObject({ runtime: 'PT' })
})

it('POST /resource_requirements names the rule that is broken', async () => {
  const error = async (fields: object) => (await make(fields)).error
  expect((await error({ num_cpus: 0 })).message).toContain('num_cpus must be > 0')
  expect((await error({ num_nodes: 0 })).message).toContain('num_nodes must be > 0')
  expect((await error({ num_gpus: -1 })).message).toContain('num_gpus must be >= 0')
  expect(await error({ memory: '1.5g' })).toMatchObject({ field: 'memory', value: '1.5g' })
  expect(await error({ runtime: 'PT1Hxyz' })).toMatchObject({ field: 'runtime', value: 'PT1Hxyz' })
  expect(await error({ name: 'default' })).toMatchObject({ field: 'name' })
})

it('PUT /resource_requirements replaces every field and records who did', async () => {
  const { id } = await make({ num_cpus: 8, memory: '4g' })
  expect((await t.put(`/resource_requirements/${id}`, { name: 'n', num_gpus: 2 })).body).toMatchObject({
    name: 'n',
    num_cpus: 1,
    num_gpus: 2,
    memory: '1m',
    runtime: 'PT1M',
  })
  const event = await t.db.read(function* () {
    const [rows] = yield [
      { sql: 'SELECT data FROM event WHERE workflow_id = ? ORDER BY id DESC LIMIT 1', args: [workflow] },
    ]
    return JSON.parse(rows![0].data)
  })
  expect(event).toMatchObject({
    category: 'user_action',
    action: 'update_resource_requirements',
    user: 'anonymous',
    resource_requirements_id: id,
    num_gpus: 2,
  })
})

it('PUT /resource_requirements changes the default but never its name, on which jobs without requirements rely', async () => {
  const id = await seedWorkflow(t)
  const { items } = (await t.get(`/resource_requirements?workflow_id=${id}`)).body
  const { body: other } = await t.post('/resource_requirements', { workflow_id: id, name: 'other' })
  const [standard] = items
  expect((await t.put(`/resource_requirements/${standard.id}`, { ...standard, num_cpus: 3 })).body.num_cpus).toBe(3)
  for (const row of [
    { ...standard, name: 'renamed' },
    { ...other, name: 'default' },
  ]) {
    const refused = await t.put(`/resource_requirements/${row.id}`, row)
    expect(refused).toMatchObject({ status: 422, body: { error: { field: 'name' } } })
  }
})

it('GET /resource_requirements filters, and sorts memory and runtime by what they mean', async () => {
  const id = await seedWorkflow(t)
  const own = async (fields: object) => (await t.post('/resource_requirements', { workflow_id: id, ...fields })).body.id
  const small = await own({ name: 'small', memory: '900m', runtime: 'PT2H' })
  const large = await own({ name: 'large', memory: '2g', runtime: 'PT90M', num_cpus: 4 })
  const job = await seedJob(t, id, { resource_requirements_id: large })
  const ids = async (query: string) =>
    (await t.get(`/resource_requirements?workflow_id=${id}&${query}`)).body.items.map((item: { id: number }) => item.id)
  expect((await ids('sort_by=memory')).slice(1)).toEqual([small, large])
  expect((await ids('sort_by=runtime')).slice(1)).toEqual([large, small])
  expect(await ids('num_cpus=4')).toEqual([large])
  expect(await ids('memory=900m')).toEqual([small])
  expect(await ids('runtime=5400')).toEqual([large])
  expect(await ids(`job_id=${job}`)).toEqual([large])
})

it('DELETE /resource_requirements keeps what a job uses and the default', async () => {
  const id = await seedWorkflow(t)
  const own = async (name: string) => (await t.post('/resource_requirements', { workflow_id: id, name })).body.id
  const used = await own('used')
  const free = await own('free')
  await seedJob(t, id, { resource_requirements_id: used })
  const standard = (await t.get(`/resource_requirements?workflow_id=${id}&name=default`)).body.items[0].id
  expect((await t.del(`/resource_requirements/${used}`)).status).toBe(422)
  expect((await t.del(`/resource_requirements/${standard}`)).status).toBe(422)
  expect((await t.del(`/resource_requirements/${free}`)).body.id).toBe(free)
  await own('free again')
  expect((await t.del(`/resource_requirements?workflow_id=${id}`)).body).toEqual({ count: 1 })
  // A job that moved to another requirement leaves its old one free.
  const job = (await t.get(`/jobs?workflow_id=${id}`)).body.items[0]
  await t.put(`/jobs/${job.id}`, { ...job, resource_requirements_id: standard })
  expect((await t.del(`/resource_requirements/${used}`)).status).toBe(200)
})

it('ready_job_requirements sums up the ready jobs as a strict claim sees them', async () => {
  const id = await seedWorkflow(t)
  const sums = async (query = '') => (await t.get(`/workflows/${id}/ready_job_requirements${query}`)).body
  expect(await sums()).toEqual({
    num_jobs: 0,
    num_cpus: 0,
    num_gpus: 0,
    memory_gb: 0,
    max_num_nodes: 0,
    max_runtime: 'PT0S',
  })
  const large = (
    await t.post('/resource_requirements', { workflow_id: id, name: 'l', num_cpus: 4, memory: '2g', runtime: 'PT2H' })
  ).body.id
  await setStatus(t, await seedJob(t, id, { resource_requirements_id: large }), 'ready')
  await setStatus(t, await seedJob(t, id, { resource_requirements_id: large, scheduler_id: 5 }), 'ready')
  await seedJob(t, id, { resource_requirements_id: large })
  expect(await sums()).toEqual({
    num_jobs: 1,
    num_cpus: 4,
    num_gpus: 0,
    memory_gb: 2,
    max_num_nodes: 1,
    max_runtime: 'PT7200S',
  })
  expect(await sums('?scheduler_config_id=5')).toMatchObject({ num_jobs: 2, num_cpus: 8 })
})
