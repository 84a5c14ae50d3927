import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

const read = async (id: number) => (await t.get(`/jobs/${id}`)).body
const put = async (id: number, changes: object) => t.put(`/jobs/${id}`, { ...(await read(id)), ...changes })

it('PUT /jobs takes back everything it gave as no change, at any status', async () => {
  const file = await seedFile(t, workflow, 'f')
  const before = await seedJob(t, workflow)
  const id = await seedJob(t, workflow, {
    env: { B: '2', A: '1' },
    input_file_ids: [file],
    depends_on_job_ids: [before],
    labels: ['x'],
  })
  for (const status of ['uninitialized', 'running', 'completed'] as const) {
    await setStatus(t, id, status)
    const stored = await read(id)
    const generous = {
      env: { A: '1', B: '2' },
      scheduler_id: 0,
      failure_handler_id: 0,
      invocation_script: '',
      output_file_ids: [],
    }
    expect((await put(id, generous)).body, status).toEqual(stored)
  }
})

it('PUT /jobs changes what a job needs at any status, and its class with it', async () => {
  const id = await seedJob(t, workflow)
  await setStatus(t, id, 'ready')
  const { body: large } = await t.post('/resource_requirements', { workflow_id: workflow, name: 'large', num_cpus: 8 })
  const changes = {
    resource_requirements_id: large.id,
    scheduler_id: 3,
    labels: ['b', 'a'],
    priority: 9,
    supports_termination: true,
    cancel_on_blocking_job_failure: false,
    invocation_script: 'wrap.sh',
  }
  expect((await put(id, changes)).body).toMatchObject({ ...changes, labels: ['a', 'b'], status: 'ready' })
  expect((await put(id, { labels: [] })).body).not.toHaveProperty('labels')
  expect((await put(id, { priority: -1 })).status).toBe(422)
  expect((await put(id, { resource_requirements_id: 9_999 })).body.error.field).toBe('resource_requirements_id')
})

it('PUT /jobs refuses frozen fields with their names, the status and the word uninitialized', async () => {
  const id = await seedJob(t, workflow)
  expect((await put(id, { name: 'new', command: 'false' })).body).toMatchObject({ name: 'new', command: 'false' })
  await setStatus(t, id, 'running')
  const { status, body } = await put(id, { name: 'newer', command: 'x', env: { A: '1' } })
  expect(status).toBe(422)
  for (const word of ['Cannot update job', 'name', 'command', 'env', 'running', 'uninitialized'])
    expect(body.error.message).toContain(word)
  expect((await read(id)).name).toBe('new')
})

it('PUT /jobs refuses what never changes', async () => {
  const file = await seedFile(t, workflow, 'g')
  const id = await seedJob(t, workflow)
  const message = async (changes: object) => (await put(id, changes)).body.error.message
  expect(await message({ env: { A: '1' } })).toMatch(/Cannot modify env.*immutable/)
  expect(await message({ input_file_ids: [file] })).toContain('immutable')
  expect(await message({ workflow_id: await seedWorkflow(t) })).toContain('immutable')
  expect(await message({ status: 'ready' })).toMatch(/Cannot update job status.*immutable/)
})

it('PUT /jobs disables an uninitialized job only', async () => {
  const id = await seedJob(t, workflow)
  expect((await put(id, { status: 'disabled' })).body.status).toBe('disabled')
  const other = await seedJob(t, workflow)
  await setStatus(t, other, 'ready')
  expect((await put(other, { status: 'disabled' })).status).toBe(422)
})

it('PUT /jobs replaces the dependencies as a set and refuses a cycle', async () => {
  const a = await seedJob(t, workflow)
  const b = await seedJob(t, workflow, { depends_on_job_ids: [a] })
  const c = await seedJob(t, workflow)
  expect((await put(c, { depends_on_job_ids: [b, a, a], status: 'uninitialized' })).body.depends_on_job_ids).toEqual([
    a,
    b,
  ])
  expect((await put(c, { depends_on_job_ids: [b] })).body.depends_on_job_ids).toEqual([b])
  for (const wrong of [[a], [c]]) {
    const { status, body } = await put(a, { depends_on_job_ids: wrong })
    expect([status, body.error.field]).toEqual([422, 'depends_on_job_ids'])
  }
  expect((await put(a, { depends_on_job_ids: [c] })).status).toBe(422)
})

it('PUT /jobs changes the failure handler, and takes no notice of what the server decides', async () => {
  const id = await seedJob(t, workflow)
  const { body: handler } = await t.post('/failure_handlers', { workflow_id: workflow, name: 'h', rules: '[]' })
  await setStatus(t, id, 'completed')
  const ignored = {
    attempt_id: 9,
    compute_node_id: 4,
    start_time: 'then',
    origin: 'spawn',
    schedule_compute_nodes: null,
  }
  const before = await read(id)
  expect((await put(id, { failure_handler_id: handler.id, ...ignored })).body).toEqual({
    ...before,
    failure_handler_id: handler.id,
  })
})

it.each(['workflow_id', 'name', 'command'])('PUT /jobs needs %s', async field => {
  const id = await seedJob(t, workflow)
  const { [field]: _, ...rest } = await read(id)
  expect(await t.put(`/jobs/${id}`, rest)).toMatchObject({ status: 422, body: { error: { field } } })
})
