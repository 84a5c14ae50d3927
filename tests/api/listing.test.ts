import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

/** Paging and filters of lists (contract/notes.md 2.1, 2.3, 19.3, 19.6, 19.11). */

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const named = async (path: string): Promise<string[]> =>
  (await t.get(path)).body.items.map((item: { name: string }) => item.name)

it('a page tells where it stands', async () => {
  for (const name of ['a', 'b', 'c']) await seedFile(t, w, name)
  const page = async (query: string) => (await t.get(`/files?workflow_id=${w}&${query}`)).body
  const rest = { max_limit: 100_000, total_count: 3 }
  expect(await page('limit=2')).toMatchObject({ offset: 0, count: 2, has_more: true, ...rest })
  expect(await page('limit=2&offset=2')).toMatchObject({ offset: 2, count: 1, has_more: false, ...rest })
  expect(await page('limit=0')).toMatchObject({ items: [], count: 0, has_more: true, ...rest })
  expect(await page('offset=9')).toMatchObject({ items: [], count: 0, has_more: false, ...rest })
})

it.each([
  '/jobs',
  '/files',
  '/user_data',
  '/results',
  '/events',
  '/compute_nodes',
  '/scheduled_compute_nodes',
  '/slurm_schedulers',
  '/local_schedulers',
  '/resource_requirements',
  '/slurm_stats',
])('GET %s needs a workflow that exists', async path => {
  expect((await t.get(path)).status).toBe(400)
  expect((await t.get(`${path}?workflow_id=999`)).status).toBe(404)
})

it.each([
  'status',
  'is_complete',
  'is_uninitialized',
  'summary',
  'actions',
  'actions/pending',
  'active_task',
  'failure_handlers',
  'job_dependencies',
  'job_file_relationships',
  'job_user_data_relationships',
  'job_ids',
  'missing_user_data',
  'required_existing_files',
  'ready_job_requirements',
  'remote_workers',
  'ro_crate_entities',
  'running_jobs',
  'slurm_job_correlations',
  'events/stream',
])('GET /workflows/{id}/%s is 404 for a missing workflow', async path => {
  expect((await t.get(`/workflows/999/${path}`)).status).toBe(404)
})

describe('GET /workflows', () => {
  it('filters by name and user as a whole, by description as a part, by both flags', async () => {
    await t.post('/workflows', { name: 'Alpha', user: 'ada', description: '100% Done_now' })
    const { body } = await t.post('/workflows', { name: 'Beta', user: 'bob' })
    await t.post(`/workflows/${body.id}/archive`, { is_archived: true })
    expect(await named('/workflows?name=Alpha')).toEqual(['Alpha'])
    expect(await named('/workflows?name=alpha')).toEqual([])
    expect(await named('/workflows?name=Alph')).toEqual([])
    expect(await named('/workflows?user=bob')).toEqual(['Beta'])
    expect(await named(`/workflows?description=${encodeURIComponent('0% done_')}`)).toEqual(['Alpha'])
    expect(await named('/workflows?description=D_ne')).toEqual([])
    expect(await named('/workflows?is_archived=true')).toEqual(['Beta'])
    expect(await named('/workflows?is_archived=false&user=ada')).toEqual(['Alpha'])
    expect(await named('/workflows')).toEqual(['w', 'Alpha', 'Beta'])
  })
})

describe('GET /jobs', () => {
  it('filters by status, file, dependency, node, origin, and parts of name and command', async () => {
    const file = await seedFile(t, w, 'f')
    const first = await seedJob(t, w, { name: 'First_job', command: 'echo 50%' })
    await seedJob(t, w, { name: 'second', input_file_ids: [file], depends_on_job_ids: [first] })
    const node = await seedNode(t, w)
    await setStatus(t, first, 'pending')
    await t.put(`/jobs/${first}/start_job/0/${node}`)
    const found = (query: string) => named(`/jobs?workflow_id=${w}&${query}`)
    expect(await found('status=running')).toEqual(['First_job'])
    expect(await found(`needs_file_id=${file}`)).toEqual(['second'])
    expect(await found(`upstream_job_id=${first}`)).toEqual(['second'])
    expect(await found(`active_compute_node_id=${node}`)).toEqual(['First_job'])
    expect(await found('name=first_')).toEqual(['First_job'])
    expect(await found('name=first%25')).toEqual([])
    expect(await found('command=50%25')).toEqual(['First_job'])
    expect(await found('origin_is_set=false')).toEqual(['First_job', 'second'])
    await t.post(`/jobs/${first}/retry/0?max_retries=2`)
    expect(await found('origin_is_set=true')).toEqual(['First_job'])
    expect(await found('origin_is_set=true&name=second')).toEqual([])
    expect((await t.get(`/jobs?workflow_id=${w}&status=done`)).status).toBe(400)
    expect((await t.get(`/jobs?workflow_id=${w}&status=`)).status).toBe(400)
  })
})

describe('GET /files', () => {
  it('filters by producer, by whole name, by a part of the path, by being an output', async () => {
    const made = await seedFile(t, w, 'made', { path: '/Data/made.txt' })
    await seedFile(t, w, 'given', { path: '/data/given.txt' })
    const job = await seedJob(t, w, { output_file_ids: [made] })
    const found = (query: string) => named(`/files?workflow_id=${w}&${query}`)
    expect(await found(`produced_by_job_id=${job}`)).toEqual(['made'])
    expect(await found('name=made')).toEqual(['made'])
    expect(await found('name=mad')).toEqual([])
    expect(await found('path=DATA/')).toEqual(['made', 'given'])
    expect(await found('is_output=true')).toEqual(['made'])
    expect(await found('is_output=false')).toEqual(['made', 'given'])
  })
})

describe('GET /user_data', () => {
  it('filters by the jobs that use or make it, and by being ephemeral', async () => {
    const [a, b] = [await seedJob(t, w), await seedJob(t, w)]
    await t.post(`/user_data?consumer_job_id=${a}&producer_job_id=${b}`, { workflow_id: w, name: 'x' })
    await t.post('/user_data', { workflow_id: w, name: 'y', is_ephemeral: true })
    const found = (query: string) => named(`/user_data?workflow_id=${w}&${query}`)
    expect(await found(`consumer_job_id=${a}`)).toEqual(['x'])
    expect(await found(`producer_job_id=${b}`)).toEqual(['x'])
    expect(await found(`producer_job_id=${a}`)).toEqual([])
    expect(await found('is_ephemeral=true')).toEqual(['y'])
    expect(await found('is_ephemeral=false')).toEqual(['x'])
  })
})

describe('GET /results', () => {
  it('shows the latest of each job, or all, and filters', async () => {
    const job = await seedJob(t, w)
    const node = await seedNode(t, w)
    for (const [run_id, return_code] of [
      [0, 1],
      [1, 0],
    ])
      await t.post(
        '/results',
        resultOf(w, job, node, { run_id, return_code, status: return_code ? 'failed' : 'completed' }),
      )
    const runs = async (query: string) =>
      (await t.get(`/results?workflow_id=${w}&${query}`)).body.items.map((row: { run_id: number }) => row.run_id)
    expect(await runs('')).toEqual([1])
    expect(await runs('all_runs=true')).toEqual([0, 1])
    for (const query of [`job_id=${job}`, `compute_node_id=${node}`])
      expect(await runs(`all_runs=true&${query}`)).toEqual([0, 1])
    for (const query of ['run_id=0', 'return_code=1', 'status=failed'])
      expect(await runs(`all_runs=true&${query}`)).toEqual([0])
    expect(await runs('run_id=0')).toEqual([])
  })
})

describe('GET /compute_nodes', () => {
  it('filters by a part of the host, by activity and by the allocation', async () => {
    await seedNode(t, w, { hostname: 'Node-A', scheduler: { scheduler_id: 5, type: 'slurm' } })
    await seedNode(t, w, { hostname: 'node-b', is_active: false })
    const hosts = async (query: string) =>
      (await t.get(`/compute_nodes?workflow_id=${w}&${query}`)).body.items.map(
        (row: { hostname: string }) => row.hostname,
      )
    expect(await hosts('hostname=NODE-')).toEqual(['Node-A', 'node-b'])
    expect(await hosts('is_active=true')).toEqual(['Node-A'])
    expect(await hosts('is_active=false')).toEqual(['node-b'])
    expect(await hosts('scheduled_compute_node_id=5')).toEqual(['Node-A'])
  })
})

describe('GET /scheduled_compute_nodes', () => {
  it('compares its ids as numbers', async () => {
    const fields = { workflow_id: w, scheduler_config_id: 2, scheduler_type: 'slurm', status: 'active' }
    await t.post('/scheduled_compute_nodes', { ...fields, scheduler_id: 12 })
    const count = async (query: string) =>
      (await t.get(`/scheduled_compute_nodes?workflow_id=${w}&${query}`)).body.total_count
    expect(await count('scheduler_id=12')).toBe(1)
    expect(await count('scheduler_id=012')).toBe(1)
    expect(await count('scheduler_id=x')).toBe(0)
    expect(await count('scheduler_config_id=2&status=active')).toBe(1)
    expect(await count('status=pending')).toBe(0)
  })
})

describe('GET /resource_requirements', () => {
  it('filters by each column; runtime is a number of seconds', async () => {
    const fields = { workflow_id: w, name: 'r', num_cpus: 2, num_gpus: 1, num_nodes: 3, memory: '2g', runtime: 'PT2M' }
    const { body } = await t.post('/resource_requirements', fields)
    const job = await seedJob(t, w, { resource_requirements_id: body.id })
    for (const query of [
      'name=r',
      'num_cpus=2',
      'num_gpus=1',
      'num_nodes=3',
      'memory=2g',
      'runtime=120',
      `job_id=${job}`,
    ])
      expect(await named(`/resource_requirements?workflow_id=${w}&${query}`), query).toEqual(['r'])
  })
})

describe('GET /events', () => {
  it('filters by a moment, strictly after it, and by category', async () => {
    await t.post('/events', { workflow_id: w, timestamp: 1, data: { category: 'a' } })
    const moment = t.clock.now
    t.clock.now += 5
    await t.post('/events', { workflow_id: w, timestamp: 1, data: { category: 'b' } })
    const { items } = (await t.get(`/events?workflow_id=${w}&after_timestamp=${moment}`)).body
    expect(items).toMatchObject([{ timestamp: moment + 5, data: { category: 'b' } }])
    expect((await t.get(`/events?workflow_id=${w}&category=a`)).body.total_count).toBe(1)
  })
})
