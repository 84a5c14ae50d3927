import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

const COMMANDS = { action_type: 'run_commands', action_config: { commands: ['echo'] } }
const make = async (fields: object) =>
  t.post(`/workflows/${workflow}/actions`, { trigger_type: 'on_workflow_start', ...COMMANDS, ...fields })

it('POST actions stores the number of triggers it needs', async () => {
  const jobs = [await seedJob(t, workflow), await seedJob(t, workflow)]
  const { body } = await make({
    trigger_type: 'on_jobs_ready',
    job_ids: [jobs[1], jobs[0], jobs[0]],
    required_triggers: 9,
  })
  expect(body).toEqual({
    id: body.id,
    workflow_id: workflow,
    trigger_type: 'on_jobs_ready',
    ...COMMANDS,
    job_ids: jobs,
    required_triggers: 2,
    trigger_count: 0,
    executed: false,
    persistent: false,
    is_recovery: false,
  })
  expect((await t.get(`/workflows/${workflow}/actions`)).body).toContainEqual(body)
  expect((await make({ trigger_count: 1, executed: true })).body).toMatchObject({
    required_triggers: 1,
    trigger_count: 1,
    executed: true,
  })
})

it('POST actions refuses unknown triggers, foreign jobs and a configuration that does not fit', async () => {
  const foreign = await seedJob(t, await seedWorkflow(t))
  expect((await make({ trigger_type: 'on_full_moon' })).status).toBe(422)
  expect((await make({ trigger_type: 'on_jobs_ready', job_ids: [foreign] })).body.error.field).toBe('job_ids')
  const nodes = { action_type: 'schedule_nodes' }
  for (const fields of [
    { action_config: {} },
    { action_config: { commands: [] } },
    { action_config: { commands: [''] } },
    { action_config: { commands: ['x'], more: 1 } },
    { ...nodes, action_config: { scheduler_id: 'x' } },
    { ...nodes, action_config: { surprise: 1 } },
    { action_config: [] },
  ]) {
    const { status, body } = await make(fields)
    expect([status, body.error.message]).toEqual([422, expect.stringContaining('Invalid action_config')])
  }
  expect((await make({ ...nodes, action_config: { scheduler_id: 1, num_allocations: 2 } })).status).toBe(200)
  expect((await make({ action_type: 'of_their_own', action_config: { any: 1 } })).status).toBe(200)
})

it('GET pending lists what is due and not executed, of the types asked for', async () => {
  const id = await seedWorkflow(t)
  const own = async (fields: object) => (await t.post(`/workflows/${id}/actions`, { ...COMMANDS, ...fields })).body.id
  const start = await own({ trigger_type: 'on_workflow_start', trigger_count: 1 })
  const worker = await own({ trigger_type: 'on_worker_start', trigger_count: 3 })
  await own({ trigger_type: 'on_workflow_start' })
  await own({ trigger_type: 'on_workflow_start', trigger_count: 1, executed: true })
  await own({ trigger_type: 'on_jobs_ready', job_ids: [] })
  const pending = async (query: string) =>
    (await t.get(`/workflows/${id}/actions/pending${query}`)).body.map((item: { id: number }) => item.id)
  expect(await pending('')).toEqual([start, worker])
  expect(await pending('?trigger_type=on_workflow_start')).toEqual([start])
  expect(await pending('?trigger_type=on_worker_start&trigger_type=on_workflow_start')).toEqual([start, worker])
})

it('POST claim gives an action to one node only, a persistent one to all', async () => {
  const node = await seedNode(t, workflow)
  const { body: once } = await make({})
  const path = `/workflows/${workflow}/actions/${once.id}/claim`
  expect((await t.post(path, { compute_node_id: 999 })).body.error.field).toBe('compute_node_id')
  expect((await t.post(path, { compute_node_id: node })).body).toEqual({
    action_id: once.id,
    success: true,
    claimed: true,
  })
  const taken = await t.post(path)
  expect([taken.status, taken.body.error.claimed]).toEqual([409, false])
  const stored = (await t.get(`/workflows/${workflow}/actions`)).body.find(
    (item: { id: number }) => item.id === once.id,
  )
  expect(stored).toMatchObject({ executed: true, executed_by: node, executed_at: '2026-01-01T00:00:00.000+00:00' })

  const { body: always } = await make({ persistent: true })
  for (const _ of [1, 2]) {
    expect((await t.post(`/workflows/${workflow}/actions/${always.id}/claim`, { compute_node_id: null })).status).toBe(
      200,
    )
  }
  expect((await t.post(`/workflows/${await seedWorkflow(t)}/actions/${always.id}/claim`, {})).status).toBe(404)
})

it('PUT merges keys into action_config and DELETE answers with a message', async () => {
  const { body } = await make({ action_type: 'schedule_nodes', action_config: { scheduler_id: 1, num_allocations: 2 } })
  const path = `/workflows/${workflow}/actions/${body.id}`
  expect((await t.put(path, { num_allocations: 5 })).body.action_config).toEqual({
    scheduler_id: 1,
    num_allocations: 5,
  })
  for (const wrong of [{}, [], { num_allocations: null }, { surprise: 1 }])
    expect((await t.put(path, wrong)).status).toBe(422)
  expect((await t.del(path)).body).toMatchObject({ id: body.id, message: expect.any(String) })
  expect((await t.del(path)).status).toBe(404)
})
