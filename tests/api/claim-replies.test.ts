import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** What claims answer (contract/notes.md 10). */

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const OFFER = { num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1 }
const byResources = (limit: number, fields: object = {}, query = '') =>
  t.post(`/workflows/${w}/claim_jobs_based_on_resources/${limit}${query}`, { ...OFFER, ...fields })
const initialize = () => t.post(`/workflows/${w}/initialize_jobs`)

it.each(['resources', 'slots'])(
  'a claim by %s shows the fields that runners read, and no inputs or dependencies',
  async way => {
    const [input, output] = [await seedFile(t, w, 'in'), await seedFile(t, w, 'out')]
    const { body: data } = await t.post('/user_data', { workflow_id: w, name: 'd' })
    const { body: handler } = await t.post('/failure_handlers', { workflow_id: w, name: 'h', rules: '[]' })
    await seedJob(t, w, {
      env: { A: '1' },
      invocation_script: 'run.sh',
      priority: 3,
      scheduler_id: 8,
      failure_handler_id: handler.id,
      input_file_ids: [input],
      output_file_ids: [output],
      output_user_data_ids: [data.id],
    })
    await initialize()
    const { body } = way === 'resources' ? await byResources(5) : await t.post(`/workflows/${w}/claim_next_jobs`)
    expect(body).not.toHaveProperty('reason')
    expect(body.jobs).toHaveLength(1)
    expect(body.jobs[0]).toMatchObject({
      id: expect.any(Number),
      workflow_id: w,
      name: 'j',
      command: 'true',
      env: { A: '1' },
      invocation_script: 'run.sh',
      status: 'pending',
      cancel_on_blocking_job_failure: true,
      supports_termination: false,
      resource_requirements_id: expect.any(Number),
      failure_handler_id: handler.id,
      attempt_id: 1,
      priority: 3,
      output_file_ids: [output],
      output_user_data_ids: [data.id],
    })
    for (const field of ['input_file_ids', 'input_user_data_ids', 'depends_on_job_ids', 'scheduler_id'])
      expect(body.jobs[0]).not.toHaveProperty(field)
  },
)

it('claim_next_jobs gives ten jobs where no limit is named, and none for a limit below one', async () => {
  for (let k = 0; k < 12; k++) await seedJob(t, w)
  await initialize()
  const count = async (query: string) => (await t.post(`/workflows/${w}/claim_next_jobs${query}`)).body.jobs.length
  expect(await count('?limit=0')).toBe(0)
  expect(await count('?limit=-3')).toBe(0)
  expect(await count('')).toBe(10)
})

it('outcomes of a claim come in the order of the contract', async () => {
  const bad = { time_limit: 'an hour' }
  expect((await t.post('/workflows/999/claim_jobs_based_on_resources/1', { ...OFFER, ...bad })).status).toBe(404)
  expect(await byResources(0, bad)).toMatchObject({ status: 200, body: { jobs: [] } })
  expect(await byResources(1, bad)).toMatchObject({
    status: 422,
    body: { error: { field: 'time_limit', value: 'an hour' } },
  })
  await t.put(`/workflows/${w}/cancel`)
  expect(await byResources(1, bad)).toMatchObject({ status: 200, body: { jobs: [], reason: 'Workflow is canceled' } })
})

it('GET on a claim is 405: a read must not change state', async () => {
  for (const path of [`/workflows/${w}/claim_next_jobs`, `/workflows/${w}/claim_jobs_based_on_resources/1`])
    expect((await t.get(path)).status).toBe(405)
})

it('a claim looks at each limit of a node', async () => {
  const needs = async (fields: object) => {
    const { body } = await t.post('/resource_requirements', { workflow_id: w, name: 'r', ...fields })
    const job = await seedJob(t, w, { resource_requirements_id: body.id })
    await initialize()
    return job
  }
  const taken = async (fields: object) => (await byResources(1, fields)).body.jobs.map((job: { id: number }) => job.id)
  for (const [requirement, tooLittle, enough] of [
    [{ num_cpus: 4 }, { num_cpus: 3 }, { num_cpus: 4 }],
    [{ num_gpus: 1 }, { num_gpus: 0 }, { num_gpus: 1 }],
    [{ num_nodes: 2 }, { num_nodes: 1 }, { num_nodes: 2 }],
    [{ memory: '8g' }, { memory_gb: 7.999 }, { memory_gb: 8 }],
    [{ runtime: 'PT1H' }, { time_limit: 'PT59M59S' }, { time_limit: 'PT1H' }],
    [{ runtime: 'P365D' }, { time_limit: 'PT1H' }, {}],
  ]) {
    const job = await needs(requirement!)
    expect(await taken(tooLittle!), JSON.stringify(requirement)).toEqual([])
    expect(await taken(enough!), JSON.stringify(requirement)).toEqual([job])
    await t.del(`/jobs?workflow_id=${w}`)
  }
})

it('a claim mixes unbound jobs with those of its own scheduler, in order', async () => {
  const unbound = await seedJob(t, w)
  const own = await seedJob(t, w, { scheduler_id: 5, priority: 1 })
  await seedJob(t, w, { scheduler_id: 6 })
  await initialize()
  const ids = async (fields: object, query = '') =>
    (await byResources(9, fields, query)).body.jobs.map((job: { id: number }) => job.id)
  expect(await ids({ scheduler_config_id: 5 })).toEqual([own, unbound])
  expect(await ids({ scheduler_config_id: 5 }, '?strict_scheduler_match=true')).toEqual([])
})

it('jobs over several nodes are packed beside those on one', async () => {
  const add = async (num_nodes: number, num_cpus: number) => {
    const { body } = await t.post('/resource_requirements', { workflow_id: w, name: 'r', num_nodes, num_cpus })
    return seedJob(t, w, { resource_requirements_id: body.id, priority: num_nodes })
  }
  const wide = await add(2, 4)
  const first = await add(1, 4)
  await add(1, 1)
  await initialize()
  const { body } = await byResources(9, { num_nodes: 3 })
  expect(body.jobs.map((job: { id: number }) => job.id)).toEqual([wide, first])
})

it('a claim by a node that the workflow does not have is refused', async () => {
  const node = await seedNode(t, await seedWorkflow(t))
  expect(await byResources(1, { compute_node_id: node, start: true })).toMatchObject({
    status: 422,
    body: { error: { field: 'compute_node_id' } },
  })
})

it('a claim filters by the number of nodes as it is given, though one is packed at least, and takes no notice of an id', async () => {
  const job = await seedJob(t, w)
  await initialize()
  expect((await byResources(1, { num_nodes: 0 })).body.jobs).toEqual([])
  expect((await byResources(1, { id: 77 })).body.jobs).toMatchObject([{ id: job }])
})

it('jobs of another scheduler are not handed out while some of the own do not pack', async () => {
  const { body: wide } = await t.post('/resource_requirements', { workflow_id: w, name: 'wide', num_nodes: 2 })
  const mine = await seedJob(t, w, { resource_requirements_id: wide.id, priority: 1 })
  const shared = await seedJob(t, w)
  await seedJob(t, w, { scheduler_id: 6 })
  await initialize()
  const { body } = await byResources(9, { num_nodes: 2 })
  expect(body.jobs.map((job: { id: number }) => job.id)).toEqual([mine])
  expect((await t.get(`/jobs/${shared}`)).body.status).toBe('ready')
})

it('a workflow that was canceled by its status record hands out nothing, and jobs again when that is taken back', async () => {
  await seedJob(t, w)
  await initialize()
  const setCanceled = (is_canceled: boolean) => t.put(`/workflows/${w}/status`, { run_id: 0, is_canceled })
  const bySlots = async () => (await t.post(`/workflows/${w}/claim_next_jobs`)).body.jobs.length
  await setCanceled(true)
  expect((await byResources(1)).body).toEqual({ jobs: [], reason: 'Workflow is canceled' })
  expect(await bySlots()).toBe(0)
  await setCanceled(false)
  expect(await bySlots()).toBe(1)
})
