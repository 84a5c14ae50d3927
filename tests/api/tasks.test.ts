import { afterAll, beforeAll, expect, it } from 'vitest'
import { failOpenTasks, insertTask } from '../../db/tasks.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const PARAMETERS = '{"only_uninitialized":false}'
const path = (id: number, query = '') => `/workflows/${id}/initialize_jobs?async=true${query}`

it('initialize_jobs as a task answers 202 with a task that has ended, and tells the stream', async () => {
  const id = await seedWorkflow(t)
  const job = await seedJob(t, id)
  const { status, body } = await t.post(path(id))
  expect(status).toBe(202)
  expect(body).toMatchObject({
    workflow_id: id,
    operation: 'initialize_jobs',
    status: 'succeeded',
    created_at_ms: t.clock.now,
  })
  expect(body).not.toHaveProperty('error')
  expect((await t.get(`/tasks/${body.id}`)).body).toEqual(body)
  expect((await t.get(`/workflows/${id}/active_task`)).body).toEqual({ task: null })
  expect((await t.get(`/jobs/${job}`)).body.status).toBe('ready')
  const data = await t.db.read(function* () {
    const [rows] = yield [
      { sql: `SELECT data FROM stream_event WHERE workflow_id = ? AND type = 'task_completed'`, args: [id] },
    ]
    return JSON.parse(rows![0].data)
  })
  expect(data).toMatchObject({ category: 'tasks', task_id: body.id, operation: 'initialize_jobs', status: 'succeeded' })
})

it('initialize_jobs as a task that cannot succeed ends as failed with the reason', async () => {
  const id = await seedWorkflow(t)
  const [a, b] = [await seedFile(t, id, 'a'), await seedFile(t, id, 'b')]
  await seedJob(t, id, { name: 'one', input_file_ids: [a], output_file_ids: [b] })
  await seedJob(t, id, { name: 'two', input_file_ids: [b], output_file_ids: [a] })
  expect((await t.post(`/workflows/${id}/initialize_jobs`)).status).toBe(422)
  const { status, body } = await t.post(path(id))
  expect([status, body.status]).toEqual([202, 'failed'])
  expect(body.error).toContain('one')
})

it('runTask() joins an equal active task and refuses another one with 409', async () => {
  const id = await seedWorkflow(t)
  const active = await t.db.write(() => insertTask(id, 'initialize_jobs', PARAMETERS, t.clock.now))
  expect((await t.post(path(id))).body).toMatchObject({ id: active.id, status: 'running' })
  const other = await t.post(path(id, '&only_uninitialized=true'))
  expect(other.status).toBe(409)
  expect(other.body.error).toMatchObject({
    message: expect.stringContaining('different parameters'),
    existing_task_id: active.id,
    existing_operation: 'initialize_jobs',
  })
  expect((await t.get(`/workflows/${id}/active_task`)).body.task.id).toBe(active.id)
  // A server that starts finds it without anybody who works on it.
  expect(await t.db.write(() => failOpenTasks(t.clock.now))).toContain(active.id)
  expect((await t.get(`/tasks/${active.id}`)).body).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('restarted'),
  })
})

it('GET /tasks and active_task end with 404 where there is nothing', async () => {
  expect((await t.get('/tasks/999')).status).toBe(404)
  expect((await t.get('/workflows/999/active_task')).status).toBe(404)
})
