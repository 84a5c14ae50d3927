import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

it('failure handlers keep their rules as text, and refuse what is no list of rules', async () => {
  const rules = '[{"exit_codes":[1],  "max_retries":2}]'
  const { body } = await t.post('/failure_handlers', { workflow_id: workflow, name: 'h', rules })
  expect(body).toEqual({ id: body.id, workflow_id: workflow, name: 'h', rules })
  expect((await t.get(`/workflows/${workflow}/failure_handlers`)).body).toMatchObject({ total_count: 1, items: [body] })
  for (const wrong of ['', '{}', '[1]', 'x']) {
    expect((await t.post('/failure_handlers', { workflow_id: workflow, name: 'h', rules: wrong })).status).toBe(422)
  }
})

it('DELETE /failure_handlers leaves its jobs without one', async () => {
  const { body } = await t.post('/failure_handlers', { workflow_id: workflow, name: 'h', rules: '[]' })
  const job = await seedJob(t, workflow, { failure_handler_id: body.id })
  expect((await t.get(`/jobs/${job}`)).body.failure_handler_id).toBe(body.id)
  expect((await t.del(`/failure_handlers/${body.id}`)).body).toEqual({ ...body, message: expect.any(String) })
  expect((await t.get(`/jobs/${job}`)).body).not.toHaveProperty('failure_handler_id')
  expect((await t.get(`/failure_handlers/${body.id}`)).status).toBe(404)
})

it('Slurm schedulers store what they are given and always show serialize_allocations', async () => {
  const { body } = await t.post('/slurm_schedulers', {
    workflow_id: workflow,
    account: 'a',
    nodes: 2,
    walltime: '01:00:00',
    mem: '4G',
    name: null,
  })
  expect(body).toEqual({
    id: body.id,
    workflow_id: workflow,
    account: 'a',
    nodes: 2,
    walltime: '01:00:00',
    mem: '4G',
    serialize_allocations: false,
  })
  expect(
    (await t.put(`/slurm_schedulers/${body.id}`, { serialize_allocations: true, walltime: '02:00:00' })).body,
  ).toMatchObject({
    account: 'a',
    walltime: '02:00:00',
    serialize_allocations: true,
  })
  expect((await t.get(`/slurm_schedulers?workflow_id=${workflow}&sort_by=walltime`)).body.total_count).toBe(1)
  expect((await t.del(`/slurm_schedulers?workflow_id=${workflow}`)).body).toEqual({ count: 1 })
})
