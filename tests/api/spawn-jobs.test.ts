import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
let caller: number
beforeEach(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t, { env: { A: '1' }, dynamic_jobs: { max_iterations: 2 } })
  caller = await seedJob(t, workflow, { name: 'caller' })
  await setStatus(t, caller, 'running')
})
afterEach(() => t.close())

const spawn = (body: object) => t.post(`/jobs/${caller}/spawn_jobs`, body)
const job = (name: string, fields: object = {}) => ({ name, command: 'true', ...fields })

it('spawn_jobs adds blocked jobs that wait for the caller and for whom they name', async () => {
  const done = await seedJob(t, workflow, { name: 'done' })
  await setStatus(t, done, 'completed')
  const { status, body } = await spawn({
    jobs: [job('b', { depends_on: ['a', 'done', 'caller', 'a'] }), job('a', { priority: 4, labels: ['x'] })],
    state: { n: 1 },
  })
  expect(status).toBe(200)
  expect(body).toEqual({ spawned_job_ids: [expect.any(Number), expect.any(Number)], iteration: 1 })
  const [b, a] = body.spawned_job_ids
  expect((await t.get(`/jobs/${b}`)).body).toMatchObject({
    name: 'b',
    status: 'blocked',
    origin: 'spawn',
    attempt_id: 1,
    env: { A: '1', TORC_ORCHESTRATOR_LINEAGE_ID: 'caller' },
    depends_on_job_ids: [caller, done, a].sort((x, y) => x - y),
  })
  expect((await t.get(`/jobs/${a}`)).body).toMatchObject({
    name: 'a',
    priority: 4,
    labels: ['x'],
    depends_on_job_ids: [caller],
  })
  const counts = await t.db.read(function* () {
    const [rows] = yield [{ sql: 'SELECT id, unfinished FROM job WHERE id IN (?, ?) ORDER BY id', args: [a, b] }]
    return rows!.map((row: { unfinished: number }) => row.unfinished)
  })
  // b waits for the caller and a; done has ended.
  expect(counts).toEqual([2, 1])
  const { body: remembered } = await t.get(`/user_data?workflow_id=${workflow}`)
  expect(remembered.items).toMatchObject([
    {
      name: '__torc_lineage__caller__g000001',
      is_ephemeral: true,
      data: { generation: 1, spawn_count: 2, state: { n: 1 } },
    },
  ])
})

it('spawn_jobs leaves the workflow incomplete until its jobs have run', async () => {
  const node = await seedNode(t, workflow)
  const { body } = await spawn({ jobs: [job('a')] })
  await t.post(`/jobs/${caller}/complete_job/completed/0`, resultOf(workflow, caller, node))
  expect((await t.get(`/workflows/${workflow}/is_complete`)).body.is_complete).toBe(false)
  expect((await t.get(`/jobs/${body.spawned_job_ids[0]}`)).body.status).toBe('ready')
})

it('spawn_jobs gives a repeated request the same ids, also after the caller has ended', async () => {
  const request = { jobs: [job('b'), job('a')], state: 1 }
  const { body: first } = await spawn(request)
  expect((await spawn(request)).body).toEqual(first)
  await setStatus(t, caller, 'completed')
  expect((await spawn(request)).body).toEqual(first)
  expect((await spawn({ jobs: [job('c')] })).status).toBe(422)
  expect((await t.get(`/workflows/${workflow}/job_ids`)).body.count).toBe(3)
})

it('spawn_jobs refuses what it cannot mean and stores nothing of it', async () => {
  await seedJob(t, workflow, { name: 'twin' })
  await seedJob(t, workflow, { name: 'twin' })
  await spawn({ jobs: [job('known')] })
  for (const body of [
    { jobs: [job('x'), job('x')] },
    { jobs: [job('x', { priority: -1 })] },
    { jobs: [job('x', { labels: ['a,b'] })] },
    { jobs: [job('x', { surprise: 1 })] },
    { jobs: [], surprise: 1 },
    { jobs: [job('known'), job('x')] },
    { jobs: [job('twin')] },
    { jobs: [job('caller')] },
    { jobs: [job('x', { resource_requirements: 'nothing' })] },
    { jobs: [job('x', { depends_on: ['nothing'] })] },
    { jobs: [job('x', { depends_on: ['twin'] })] },
    { jobs: [job('x', { depends_on: ['y'] }), job('y', { depends_on: ['x'] })] },
    { jobs: [job('x', { depends_on: ['x'] })] },
  ]) {
    expect((await spawn(body)).status, JSON.stringify(body)).toBe(422)
  }
  expect((await t.get(`/workflows/${workflow}/job_ids`)).body.count).toBe(4)
  expect((await t.post('/jobs/999/spawn_jobs', { jobs: [] })).status).toBe(404)
})

it('spawn_jobs counts the iterations of each lineage up to the cap', async () => {
  expect((await spawn({ jobs: [job('a')] })).body.iteration).toBe(1)
  expect((await spawn({ jobs: [job('b')] })).body.iteration).toBe(2)
  const { status, body } = await spawn({ jobs: [job('c')] })
  expect([status, body.error.message]).toEqual([422, expect.stringMatching(/caller.*2 iterations/)])
  expect((await spawn({ jobs: [job('d')], lineage: 'other_%' })).body.iteration).toBe(1)
})

it('spawn_jobs without jobs records the last state, if there is one', async () => {
  expect((await spawn({ jobs: [] })).body).toEqual({ spawned_job_ids: [], iteration: 0 })
  expect((await t.get(`/user_data?workflow_id=${workflow}`)).body.total_count).toBe(0)
  await spawn({ jobs: [], state: 'one' })
  await spawn({ jobs: [], state: 'two' })
  expect((await t.get(`/user_data?workflow_id=${workflow}`)).body.items).toMatchObject([
    { name: '__torc_lineage__caller__final', data: { generation: 0, spawn_count: 0, final: true, state: 'two' } },
  ])
})
