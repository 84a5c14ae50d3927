import { afterAll, beforeAll, expect, it } from 'vitest'
import { MOST_RESULTS } from '../../db/result-ids.ts'
import { run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
let node: number
let job: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
  node = await seedNode(t, workflow)
  job = await seedJob(t, workflow, { name: 'named' })
})
afterAll(() => t.close())

it('POST /results stores a result as the latest one without moving the job', async () => {
  const { body } = await t.post(
    '/results',
    resultOf(workflow, job, node, { peak_memory_bytes: 2 ** 33, return_code: -128 }),
  )
  expect(body).toMatchObject({
    job_id: job,
    job_name: 'named',
    attempt_id: 1,
    return_code: -128,
    peak_memory_bytes: 2 ** 33,
    status: 'completed',
  })
  const { body: again } = await t.post('/results', resultOf(workflow, job, node, { run_id: 1 }))
  expect((await t.get(`/results?workflow_id=${workflow}`)).body.items).toMatchObject([{ id: again.id, run_id: 1 }])
  expect((await t.get(`/results?workflow_id=${workflow}&all_runs=true`)).body.total_count).toBe(2)
  expect((await t.get(`/jobs/${job}`)).body.status).toBe('uninitialized')
})

it('POST /results refuses a second one for an attempt, an unknown node and a foreign job', async () => {
  expect((await t.post('/results', resultOf(workflow, job, node))).status).toBe(409)
  expect((await t.post('/results', resultOf(workflow, job, 999, { run_id: 5 }))).body.error.field).toBe(
    'compute_node_id',
  )
  const other = await seedWorkflow(t)
  expect((await t.post('/results', resultOf(other, job, node, { run_id: 5 }))).status).toBe(422)
  expect((await t.post('/results', resultOf(workflow, 999, node))).status).toBe(404)
})

it('GET /results filters and sorts', async () => {
  const id = await seedWorkflow(t)
  const own = await seedNode(t, id)
  const a = await seedJob(t, id, { name: 'b' })
  const b = await seedJob(t, id, { name: 'a' })
  await t.post('/results', resultOf(id, a, own, { return_code: 3, status: 'failed' }))
  await t.post('/results', resultOf(id, b, own, { exec_time_minutes: 9 }))
  const jobs = async (query: string) =>
    (await t.get(`/results?workflow_id=${id}&${query}`)).body.items.map((item: { job_id: number }) => item.job_id)
  expect(await jobs('return_code=3')).toEqual([a])
  expect(await jobs('status=completed')).toEqual([b])
  expect(await jobs(`job_id=${b}`)).toEqual([b])
  expect(await jobs('run_id=4')).toEqual([])
  expect(await jobs(`compute_node_id=${own}`)).toEqual([a, b])
  expect(await jobs('sort_by=exec_time_minutes&reverse_sort=true')).toEqual([b, a])
  expect(await jobs('sort_by=job_name')).toEqual([b, a])
})

it('PUT /results changes what is there; DELETE makes the newest that is left the latest', async () => {
  const own = await seedJob(t, workflow)
  const first = (await t.post('/results', resultOf(workflow, own, node))).body.id
  const second = (await t.post('/results', resultOf(workflow, own, node, { run_id: 1 }))).body.id
  expect(
    (await t.put(`/results/${first}`, { return_code: 4, status: 'failed', avg_cpu_percent: 50 })).body,
  ).toMatchObject({
    return_code: 4,
    status: 'failed',
    avg_cpu_percent: 50,
    run_id: 0,
  })
  expect((await t.put(`/results/${first}`, { job_id: job })).status).toBe(422)
  const latest = async () =>
    (await t.get(`/results?workflow_id=${workflow}&job_id=${own}`)).body.items.map((item: { id: number }) => item.id)
  expect(await latest()).toEqual([second])
  expect((await t.del(`/results/${second}`)).body.id).toBe(second)
  expect(await latest()).toEqual([first])
  expect((await t.get(`/results/${second}`)).status).toBe(404)
})

it('DELETE /results removes all of a workflow', async () => {
  const before = (await t.get(`/results?workflow_id=${workflow}&all_runs=true`)).body.total_count
  expect((await t.del(`/results?workflow_id=${workflow}`)).body).toEqual({ count: before })
  expect((await t.get(`/results?workflow_id=${workflow}&all_runs=true`)).body.total_count).toBe(0)
})

it('a job that has had 65,535 results takes no more: 409, and a refused completion', async () => {
  const full = await seedJob(t, workflow)
  await t.db.write(() => run('UPDATE job SET results = ? WHERE id = ?', MOST_RESULTS - 1, full))
  expect((await t.post('/results', resultOf(workflow, full, node, { run_id: 8 }))).status).toBe(200)
  const refused = await t.post('/results', resultOf(workflow, full, node, { run_id: 9 }))
  expect(refused).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining('65535') } } })
  const completion = await t.post(`/jobs/${full}/complete_job/completed/0`, resultOf(workflow, full, node))
  expect(completion).toMatchObject({ status: 422, body: { error: { code: 'mismatch' } } })
  expect((await t.get(`/results?workflow_id=${workflow}&job_id=${full}&all_runs=true`)).body.total_count).toBe(1)
})

it('POST and PUT /results keep the words of the client and change peaks and averages', async () => {
  const own = await seedJob(t, workflow)
  const { body } = await t.post(
    '/results',
    resultOf(workflow, own, node, { completion_time: 'just now', job_name: 'x' }),
  )
  expect(body).toMatchObject({ completion_time: 'just now', job_name: 'j' })
  const change = {
    peak_memory_bytes: 5,
    avg_memory_bytes: 4,
    peak_cpu_percent: 3.5,
    avg_cpu_percent: 2,
    return_code: -1,
  }
  expect((await t.put(`/results/${body.id}`, { ...body, ...change })).body).toEqual({ ...body, ...change })
})

it('what a completion tells of its usage is in its own result, whatever its batch tells of others', async () => {
  const jobs = [await seedJob(t, workflow), await seedJob(t, workflow), await seedJob(t, workflow)] as const
  for (const job of jobs) await setStatus(t, job, 'running')
  const watched = {
    user_seconds: 1.5,
    peak_memory_bytes: 9,
    avg_memory_bytes: 7,
    peak_cpu_percent: 80,
    avg_cpu_percent: 40.5,
  }
  const entry = (job: number, fields: object = {}) => {
    const result = resultOf(workflow, job, node, { run_id: 0 })
    return { job_id: job, status: 'completed', run_id: 0, result, ...fields }
  }
  const completions = [
    entry(jobs[0], { usage: { user_seconds: 0.25, peak_memory_bytes: 5 } }),
    entry(jobs[1], { usage: watched }),
    entry(jobs[2]),
  ]
  const { body } = await t.post(`/workflows/${workflow}/batch_complete_jobs`, { completions })
  expect(body).toMatchObject({ completed: [...jobs], errors: [] })
  const stored = async (job: number) => {
    const [result] = (await t.get(`/results?workflow_id=${workflow}&job_id=${job}`)).body.items
    return [
      result.user_seconds,
      result.peak_memory_bytes,
      result.avg_memory_bytes,
      result.peak_cpu_percent,
      result.avg_cpu_percent,
    ]
  }
  expect(await stored(jobs[0])).toEqual([0.25, 5, undefined, undefined, undefined])
  expect(await stored(jobs[1])).toEqual([1.5, 9, 7, 80, 40.5])
  expect(await stored(jobs[2])).toEqual([undefined, undefined, undefined, undefined, undefined])
})
