import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t, { env: { A: 'workflow', B: 'workflow' } })
})
afterAll(() => t.close())

const job = (fields: object = {}) => ({ workflow_id: workflow, name: 'j', command: 'true', ...fields })

it('POST /jobs stores what the server decides and merges the environments', async () => {
  const { body } = await t.post(
    '/jobs',
    job({ status: 'running', attempt_id: 4, env: { B: 'job', C: 'job' }, compute_node_id: 3 }),
  )
  expect(body).toEqual({
    id: body.id,
    workflow_id: workflow,
    name: 'j',
    command: 'true',
    env: { A: 'workflow', B: 'job', C: 'job' },
    status: 'uninitialized',
    priority: 0,
    cancel_on_blocking_job_failure: true,
    supports_termination: false,
    resource_requirements_id: expect.any(Number),
    attempt_id: 1,
  })
  expect((await t.get(`/jobs/${body.id}`)).body).toEqual(body)
})

it('POST /bulk_jobs answers in the order of the request, with rising ids', async () => {
  const { body } = await t.post('/bulk_jobs', { jobs: ['c', 'a', 'b', 'a'].map(name => job({ name })) })
  expect(body.jobs.map((item: { name: string }) => item.name)).toEqual(['c', 'a', 'b', 'a'])
  const ids = body.jobs.map((item: { id: number }) => item.id)
  expect(ids).toEqual([ids[0], ids[0] + 1, ids[0] + 2, ids[0] + 3])
  expect(await seedJob(t, workflow)).toBe(ids[0] + 4)
})

it('POST /bulk_jobs stores all or nothing', async () => {
  const before = (await t.get(`/workflows/${workflow}/summary`)).body
  for (const [jobs, status] of [
    [[], 422],
    [[job(), job({ resource_requirements_id: 9_999 })], 422],
    [[job(), job({ priority: -1 })], 422],
    [[job(), { ...job(), workflow_id: await seedWorkflow(t) }], 422],
    [[{ ...job(), workflow_id: 9_999 }], 404],
  ] as const) {
    expect((await t.post('/bulk_jobs', { jobs })).status).toBe(status)
  }
  expect((await t.get(`/workflows/${workflow}/summary`)).body).toEqual(before)
})

it('POST /bulk_jobs keeps the counters that summary shows', async () => {
  const id = await seedWorkflow(t)
  const jobs = Array.from({ length: 1_000 }, (_, k) => ({ workflow_id: id, name: `j${k}`, command: 'true' }))
  expect((await t.post('/bulk_jobs', { jobs })).body.jobs).toHaveLength(1_000)
  expect((await t.get(`/workflows/${id}/summary`)).body).toMatchObject({
    total_jobs: 1_000,
    jobs_by_status: { uninitialized: 1_000 },
  })
})

it('createJobs() refuses unknown and foreign ids by field and id, and folds repeated ones', async () => {
  const other = await seedWorkflow(t)
  const foreign = await seedFile(t, other, 'f')
  for (const [field, value] of [
    ['input_file_ids', [foreign]],
    ['output_file_ids', [9_999]],
    ['input_user_data_ids', [9_999]],
    ['depends_on_job_ids', [await seedJob(t, other)]],
  ] as const) {
    const { status, body } = await t.post('/jobs', job({ [field]: value }))
    expect(status).toBe(422)
    expect(body.error).toMatchObject({ field, value: value[0] })
  }
  for (const field of ['resource_requirements_id', 'failure_handler_id']) {
    const { status, body } = await t.post('/jobs', job({ [field]: 9_999 }))
    expect([status, body.error.field]).toEqual([422, field])
  }
  const file = await seedFile(t, workflow, 'twice')
  const { body } = await t.post('/jobs', job({ input_file_ids: [file, file] }))
  expect(body.input_file_ids).toEqual([file])
})

it('POST /jobs ends with 422 on a bad label, naming it, and stores labels as a set', async () => {
  for (const label of ['', ' x', 'x ', 'a,b']) {
    const { status, body } = await t.post('/jobs', job({ labels: ['ok', label] }))
    expect(status).toBe(422)
    expect(body.error.message).toContain(JSON.stringify(label))
  }
  expect((await t.post('/jobs', job({ labels: ['b', 'a', 'b'] }))).body.labels).toEqual(['a', 'b'])
  expect((await t.post('/jobs', job({ labels: [] }))).body).not.toHaveProperty('labels')
})

it('POST /jobs names a bad environment variable', async () => {
  const { status, body } = await t.post('/jobs', job({ env: { 'not ok': '1' } }))
  expect(status).toBe(422)
  expect(body.error.message).toContain('not ok')
})

it('GET /jobs filters by what jobs are, name, and wait for', async () => {
  const id = await seedWorkflow(t)
  const own = (fields: object) => seedJob(t, id, fields)
  const file = await seedFile(t, id, 'f')
  const first = await own({ name: 'Prepare_1', command: 'echo 50%' })
  const second = await own({ name: 'work', depends_on_job_ids: [first], input_file_ids: [file] })
  const third = await own({ name: 'gpu work', output_file_ids: [file], labels: ['big', 'gpu'] })
  await setStatus(t, third, 'ready')
  const ids = async (query: string) =>
    (await t.get(`/jobs?workflow_id=${id}&${query}`)).body.items.map((item: { id: number }) => item.id)
  expect(await ids('status=ready')).toEqual([third])
  expect(await ids(`needs_file_id=${file}`)).toEqual([second])
  expect(await ids(`upstream_job_id=${first}`)).toEqual([second])
  expect(await ids('name=WORK')).toEqual([second, third])
  expect(await ids('name=e_1')).toEqual([first])
  expect(await ids('command=50%25')).toEqual([first])
  expect(await ids('command=5_%25')).toEqual([])
  expect(await ids('origin_is_set=true')).toEqual([])
  expect(await ids('origin_is_set=false')).toHaveLength(3)
  expect(await ids('labels=')).toEqual([first, second])
  expect(await ids('labels=gpu')).toEqual([])
  expect(await ids('labels=gpu,big,other')).toEqual([third])
  // By the order of the enum, not by the word.
  await setStatus(t, second, 'completed')
  expect(await ids('sort_by=status')).toEqual([first, third, second])
  expect((await t.get('/jobs?workflow_id=9999')).status).toBe(404)
})

it('GET /jobs shows the relationship arrays only when asked', async () => {
  const id = await seedWorkflow(t)
  const file = await seedFile(t, id, 'f')
  const first = await seedJob(t, id, { output_file_ids: [file] })
  await seedJob(t, id, { depends_on_job_ids: [first], input_file_ids: [file] })
  const plain = (await t.get(`/jobs?workflow_id=${id}`)).body.items
  expect(plain[1]).not.toHaveProperty('depends_on_job_ids')
  const whole = (await t.get(`/jobs?workflow_id=${id}&include_relationships=true`)).body.items
  expect(whole[0]).toMatchObject({ output_file_ids: [file] })
  expect(whole[1]).toMatchObject({ depends_on_job_ids: [first], input_file_ids: [file] })
  expect(whole[1]).not.toHaveProperty('output_file_ids')
})

it('GET /jobs shows the keys of ours that a runner needs, as claims do', async () => {
  const id = await seedJob(t, workflow)
  const options = { cwd: '/work', tags: { a: 'b' } }
  await t.db.write(() => run('UPDATE job_text SET options = ? WHERE id = ?', JSON.stringify(options), id))
  expect((await t.get(`/jobs/${id}`)).body.options).toEqual(options)
})

it('GET /jobs finds jobs by the node they are bound to', async () => {
  const id = await seedWorkflow(t)
  const node = await seedNode(t, id)
  const started = await seedJob(t, id)
  await seedJob(t, id)
  await setStatus(t, started, 'pending')
  await t.put(`/jobs/${started}/start_job/0/${node}`)
  const { body } = await t.get(`/jobs?workflow_id=${id}&active_compute_node_id=${node}`)
  expect(body.items).toMatchObject([
    { id: started, compute_node_id: node, start_time: '2026-01-01T00:00:00.000+00:00' },
  ])
})

it('DELETE /jobs/{id} takes its edges along, and a job that waited for it alone becomes ready', async () => {
  const id = await seedWorkflow(t)
  const first = await seedJob(t, id)
  const second = await seedJob(t, id)
  const alone = await seedJob(t, id, { depends_on_job_ids: [first] })
  const both = await seedJob(t, id, { depends_on_job_ids: [first, second] })
  await t.post(`/workflows/${id}/initialize_jobs`)
  expect((await t.get(`/jobs/${alone}`)).body.status).toBe('blocked')
  expect((await t.del(`/jobs/${first}`)).body.id).toBe(first)
  expect((await t.get(`/jobs/${alone}`)).body.status).toBe('ready')
  expect((await t.get(`/jobs/${both}`)).body).toMatchObject({ status: 'blocked', depends_on_job_ids: [second] })
  expect((await t.get(`/workflows/${id}/summary`)).body).toMatchObject({
    total_jobs: 3,
    jobs_by_status: { ready: 2, blocked: 1 },
  })
  expect((await t.del(`/jobs/${first}`)).status).toBe(404)
})

it('DELETE /jobs removes all jobs of the workflow and tells how many', async () => {
  const id = await seedWorkflow(t)
  const jobs = Array.from({ length: 2_500 }, (_, k) => ({ workflow_id: id, name: `j${k}`, command: 'true' }))
  await t.post('/bulk_jobs', { jobs })
  expect((await t.del(`/jobs?workflow_id=${id}`)).body).toEqual({ count: 2_500 })
  expect((await t.get(`/workflows/${id}/summary`)).body.total_jobs).toBe(0)
  expect((await t.del(`/jobs?workflow_id=${id}`)).body).toEqual({ count: 0 })
})
