import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { OVER_SQLD } from '../helpers/back-end.ts'
import { seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

it('POST /workflows answers with the stored row, defaults included', async () => {
  const { status, body } = await t.post('/workflows', {
    name: 'w',
    user: 'u',
    run_id: 9,
    is_canceled: true,
    env: { A: '1' },
  })
  expect(status).toBe(200)
  expect(body).toEqual({
    id: body.id,
    status_id: body.id,
    name: 'w',
    user: 'u',
    timestamp: '2026-01-01T00:00:00.000Z',
    run_id: 0,
    is_canceled: false,
    is_archived: false,
    env: { A: '1' },
    use_pending_failed: false,
    enable_ro_crate: false,
    compute_node_wait_for_new_jobs_seconds: 90,
    compute_node_ignore_workflow_completion: false,
    compute_node_wait_for_healthy_database_minutes: 20,
    compute_node_min_time_for_new_jobs_seconds: 300,
    jobs_sort_method: 'gpus_runtime_memory',
    loss_budget: 5,
  })
  expect((await t.get(`/workflows/${body.id}`)).body).toEqual(body)
})

it('POST /workflows makes the default requirement and a zero counter for every status', async () => {
  const id = await seedWorkflow(t)
  const { body: requirements } = await t.get(`/resource_requirements?workflow_id=${id}`)
  expect(requirements.items).toMatchObject([
    { name: 'default', num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: '1m', runtime: 'P0DT1M' },
  ])
  const { body: summary } = await t.get(`/workflows/${id}/summary`)
  expect(Object.values(summary.jobs_by_status)).toEqual(Array(11).fill(0))
})

it('POST /workflows ends with 422 naming what is wrong', async () => {
  const of = async (fields: object) => (await t.post('/workflows', { name: 'w', user: 'u', ...fields })).body.error
  expect((await of({ env: { '1A': 'x' } })).message).toContain('1A')
  expect(await of({ dynamic_jobs: { max_iterations: 0 } })).toMatchObject({ field: 'dynamic_jobs' })
  expect(await of({ dynamic_jobs: { most: 1 } })).toMatchObject({ field: 'dynamic_jobs' })
  expect(await of({ access_groups: ['nobody'] })).toMatchObject({ field: 'access_groups' })
  expect(await of({ jobs_sort_method: 'random' })).toMatchObject({ field: 'jobs_sort_method' })
})

it('PUT /workflows changes what is there, keeps what is not, and refuses what is fixed', async () => {
  const id = await seedWorkflow(t, {
    description: 'old',
    env: { A: '1' },
    submission_directory: '/a',
    dynamic_jobs: { max_iterations: 3 },
  })
  const { body } = await t.put(`/workflows/${id}`, {
    name: 'new',
    user: 'v',
    description: null,
    compute_node_min_time_for_new_jobs_seconds: 7,
    env: { A: '1' },
    submission_directory: '/a',
    dynamic_jobs: { max_iterations: 3 },
    run_id: 5,
  })
  expect(body).toMatchObject({
    name: 'new',
    user: 'v',
    description: 'old',
    compute_node_min_time_for_new_jobs_seconds: 7,
    run_id: 0,
  })
  const refused = async (fields: object) =>
    (await t.put(`/workflows/${id}`, { name: 'new', user: 'v', ...fields })).body.error.message
  expect(await refused({ env: { A: '2' } })).toMatch(/Cannot modify env.*immutable/)
  expect(await refused({ submission_directory: '/b' })).toContain('immutable')
  expect(await refused({ dynamic_jobs: { max_iterations: 4 } })).toContain('immutable')
})

it('GET /workflows filters, sorts and pages', async () => {
  const u = await testApp()
  for (const name of ['c', 'a', 'b']) await seedWorkflow(u, { name, description: `About 100% ${name.toUpperCase()}_x` })
  const names = async (query: string) =>
    (await u.get(`/workflows?${query}`)).body.items.map((item: { name: string }) => item.name)
  expect(await names('sort_by=name')).toEqual(['a', 'b', 'c'])
  expect(await names('sort_by=name&reverse_sort=true')).toEqual(['c', 'b', 'a'])
  expect(await names('sort_by=nonsense')).toEqual(['c', 'a', 'b'])
  expect(await names('reverse_sort=true')).toEqual(['b', 'a', 'c'])
  expect(await names('name=a')).toEqual(['a'])
  expect(await names('description=ABOUT')).toEqual(['c', 'a', 'b'])
  expect(await names('description=a_X')).toEqual(['a'])
  expect(await names('description=1_0')).toEqual([])
  expect(await names('description=100%25')).toHaveLength(3)
  expect(await names('access_group=g')).toEqual([])
  await u.post('/workflows/2/archive', { is_archived: true })
  expect(await names('is_archived=true')).toEqual(['a'])
  expect(await names('is_archived=false')).toEqual(['c', 'b'])
  expect((await u.get('/workflows?limit=2&offset=1')).body).toMatchObject({
    offset: 1,
    max_limit: 100_000,
    count: 2,
    total_count: 3,
    has_more: false,
  })
  expect((await u.get('/workflows?limit=1')).body).toMatchObject({ count: 1, total_count: 3, has_more: true })
  expect((await u.get('/workflows?limit=0')).body).toMatchObject({
    items: [],
    count: 0,
    total_count: 3,
    has_more: true,
  })
  expect((await u.get('/workflows?offset=9')).body).toMatchObject({
    items: [],
    count: 0,
    total_count: 3,
    has_more: false,
  })
  for (const query of ['limit=-1', 'offset=-1', 'limit=100001'])
    expect((await u.get(`/workflows?${query}`)).status, query).toBe(422)
  await u.close()
})

it('DELETE /workflows removes everything that names the workflow, and ids are not used again', async () => {
  const u = await testApp()
  const id = await seedWorkflow(u)
  const file = await seedFile(u, id, 'f')
  const job = await seedJob(u, id, { output_file_ids: [file] })
  await seedJob(u, id, { depends_on_job_ids: [job], input_file_ids: [file] })
  const node = await seedNode(u, id)
  await u.post('/results', {
    ...{ workflow_id: id, job_id: job, run_id: 0, compute_node_id: node, return_code: 0 },
    exec_time_minutes: 1,
    completion_time: 'x',
    status: 'completed',
  })
  await u.post('/user_data', { workflow_id: id, name: 'd' })
  await u.post(`/workflows/${id}/actions`, {
    trigger_type: 'on_jobs_ready',
    action_type: 'run_commands',
    action_config: { commands: ['x'] },
    job_ids: [job],
  })
  const kept = await seedWorkflow(u)

  const { status, body } = await u.del(`/workflows/${id}`)
  expect([status, body.id]).toEqual([200, id])
  expect((await u.get(`/workflows/${id}`)).status).toBe(404)
  expect((await u.get(`/jobs/${job}`)).status).toBe(404)
  const left = await u.db.read(function* () {
    const [tables] = yield [
      { sql: `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`, args: [] },
    ]
    const found: Record<string, number> = {}
    for (const { name } of tables!) {
      const [rows] = yield [{ sql: `SELECT count(*) AS n FROM ${name}`, args: [] }]
      if (rows![0].n > 0) found[name] = rows![0].n
    }
    return found
  })
  // What is left is the other workflow: its row, its counters and its default requirement.
  expect(left).toEqual({
    headrace_migration: expect.any(Number),
    ...(OVER_SQLD && { write_receipt: expect.any(Number) }),
    identity: 1,
    workflow: 1,
    workflow_count: 11,
    resource_requirements: 1,
  })
  expect(await seedWorkflow(u)).toBe(kept + 1)
  await u.close()
})

it('needWorkflow() hides a workflow that is being created or deleted, everywhere', async () => {
  const id = await seedWorkflow(t)
  const job = await seedJob(t, id)
  const file = await seedFile(t, id, 'f')
  await t.db.write(() => run(`UPDATE workflow SET state = 'deleting' WHERE id = ?`, id))
  for (const path of [
    `/workflows/${id}`,
    `/workflows/${id}/status`,
    `/jobs/${job}`,
    `/files/${file}`,
    `/files?workflow_id=${id}`,
  ]) {
    expect((await t.get(path)).status, path).toBe(404)
  }
  expect((await t.post('/jobs', { workflow_id: id, name: 'j', command: 'true' })).status).toBe(404)
  const { body } = await t.get('/workflows')
  expect(body.items.map((item: { id: number }) => item.id)).not.toContain(id)
})
