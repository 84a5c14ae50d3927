import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const statusOf = async (job: number) => (await t.get(`/jobs/${job}`)).body.status

it('GET and PUT status: all four values are replaced, left out flags become false', async () => {
  const id = await seedWorkflow(t)
  const record = { run_id: 7, is_canceled: true, is_archived: true, has_detected_need_to_run_completion_script: true }
  expect((await t.put(`/workflows/${id}/status`, record)).body).toEqual({ id, ...record })
  expect((await t.put(`/workflows/${id}/status`, { run_id: 2, is_canceled: false })).body).toEqual({
    id,
    run_id: 2,
    is_canceled: false,
    is_archived: false,
    has_detected_need_to_run_completion_script: false,
  })
  expect((await t.get(`/workflows/${id}/status`)).body).toMatchObject({
    id,
    workflow_id: id,
    run_id: 2,
    workflow_name: 'w',
    workflow_user: 'u',
  })
  expect((await t.put(`/workflows/${id}/status`, { run_id: 1 })).status).toBe(422)
})

it('is_complete and is_uninitialized follow the counters', async () => {
  const id = await seedWorkflow(t)
  const complete = async () => (await t.get(`/workflows/${id}/is_complete`)).body
  const uninitialized = async () => (await t.get(`/workflows/${id}/is_uninitialized`)).body.is_uninitialized
  expect(await complete()).toEqual({ is_complete: true, is_canceled: false, needs_to_run_completion_script: false })
  expect(await uninitialized()).toBe(true)
  const job = await seedJob(t, id)
  const open = ['uninitialized', 'blocked', 'ready', 'pending', 'running', 'pending_failed'] as const
  const closed = ['completed', 'failed', 'canceled', 'terminated', 'disabled'] as const
  for (const status of [...open, ...closed]) {
    await setStatus(t, job, status)
    expect((await complete()).is_complete, status).toBe((closed as readonly string[]).includes(status))
    expect(await uninitialized(), status).toBe(status === 'uninitialized' || status === 'disabled')
  }
})

it('GET summary tells the counts of all jobs by status', async () => {
  const id = await seedWorkflow(t)
  await seedJob(t, id)
  await setStatus(t, await seedJob(t, id), 'running')
  const { body } = await t.get(`/workflows/${id}/summary`)
  expect(body).toMatchObject({ workflow_id: id, total_jobs: 2, is_complete: false, is_canceled: false })
  expect(body.jobs_by_status).toMatchObject({ uninitialized: 1, running: 1, completed: 0 })
})

it('PUT cancel cancels what is claimed, leaves the rest, and is fine twice', async () => {
  const id = await seedWorkflow(t)
  const node = await seedNode(t, id)
  const jobs = { ready: await seedJob(t, id), pending: await seedJob(t, id), running: await seedJob(t, id) }
  await setStatus(t, jobs.ready, 'ready')
  await setStatus(t, jobs.pending, 'pending')
  await setStatus(t, jobs.running, 'pending')
  await t.put(`/jobs/${jobs.running}/start_job/0/${node}`)

  const { status, body } = await t.put(`/workflows/${id}/cancel`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id,
    run_id: 0,
    is_canceled: true,
    is_archived: false,
    has_detected_need_to_run_completion_script: false,
  })
  expect([await statusOf(jobs.ready), await statusOf(jobs.pending), await statusOf(jobs.running)]).toEqual([
    'ready',
    'canceled',
    'canceled',
  ])
  const { body: canceled } = await t.get(`/jobs/${jobs.running}`)
  expect(canceled).not.toHaveProperty('compute_node_id')
  expect(canceled).not.toHaveProperty('start_time')
  expect((await t.get(`/workflows/${id}/is_complete`)).body).toMatchObject({ is_complete: true, is_canceled: true })
  expect((await t.put(`/workflows/${id}/cancel`)).body).toEqual(body)
})

it('POST archive sets the flag whatever the workflow does', async () => {
  const id = await seedWorkflow(t)
  await setStatus(t, await seedJob(t, id), 'running')
  for (const is_archived of [true, true, false]) {
    expect((await t.post(`/workflows/${id}/archive`, { is_archived })).body).toMatchObject({ id, is_archived })
  }
  expect((await t.post(`/workflows/${id}/archive`, {})).status).toBe(422)
  expect((await t.post('/workflows/999/archive', { is_archived: true })).status).toBe(404)
})

it('POST reset_status refuses an archived workflow always, and an active one without force', async () => {
  const id = await seedWorkflow(t)
  const job = await seedJob(t, id)
  await t.put(`/workflows/${id}/status`, { run_id: 3, is_canceled: true, is_archived: true })
  const archived = await t.post(`/workflows/${id}/reset_status?force=true`)
  expect([archived.status, archived.body.error.message]).toEqual([
    422,
    expect.stringContaining('Cannot reset archived'),
  ])
  await t.put(`/workflows/${id}/status`, { run_id: 3, is_canceled: true })
  for (const status of ['running', 'pending'] as const) {
    await setStatus(t, job, status)
    const refused = await t.post(`/workflows/${id}/reset_status`)
    expect([refused.status, refused.body.error.message]).toEqual([422, expect.stringContaining(status)])
  }
  const { body } = await t.post(`/workflows/${id}/reset_status?force=true`)
  expect(body).toMatchObject({
    id,
    run_id: 4,
    is_canceled: false,
    is_archived: false,
    has_detected_need_to_run_completion_script: false,
  })
  expect(await statusOf(job)).toBe('pending')
})

it('POST reset_job_status resets all jobs, or the failed ones and what hangs below', async () => {
  const id = await seedWorkflow(t)
  const a = await seedJob(t, id)
  const b = await seedJob(t, id, { depends_on_job_ids: [a] })
  const c = await seedJob(t, id, { depends_on_job_ids: [b] })
  const other = await seedJob(t, id)
  await setStatus(t, a, 'failed')
  await setStatus(t, b, 'canceled')
  await setStatus(t, c, 'completed')
  await setStatus(t, other, 'completed')
  expect((await t.post(`/workflows/${id}/reset_job_status?failed_only=true`)).body).toEqual({
    workflow_id: id,
    updated_count: 2,
    status: 'uninitialized',
    reset_type: 'failed_only',
  })
  expect([await statusOf(a), await statusOf(b), await statusOf(c), await statusOf(other)]).toEqual([
    'uninitialized',
    'uninitialized',
    'uninitialized',
    'completed',
  ])
  expect((await t.post(`/workflows/${id}/reset_job_status`)).body).toEqual({
    workflow_id: id,
    updated_count: 1,
    status: 'uninitialized',
  })
  expect(await statusOf(other)).toBe('uninitialized')
})

it('resetJobStatus() resets a workflow that is too large for one transaction', async () => {
  const id = await seedWorkflow(t)
  const jobs = Array.from({ length: 5_100 }, (_, k) => ({ workflow_id: id, name: `j${k}`, command: 'true' }))
  await t.post('/bulk_jobs', { jobs })
  await t.db.write(function* () {
    yield [{ sql: 'UPDATE job SET status = 5 WHERE workflow_id = ?', args: [id] }]
  })
  expect((await t.post(`/workflows/${id}/reset_job_status`)).body.updated_count).toBe(5_100)
  expect((await t.get(`/workflows/${id}/is_uninitialized`)).body.is_uninitialized).toBe(true)
})

it('GET status sums up results, nodes and labels', async () => {
  const id = await seedWorkflow(t)
  const node = await seedNode(t, id, { end_time: '2026-01-01T00:10:00Z' })
  await seedNode(t, id, { labels: ['gpu'], time_limit: 'PT20M' })
  const one = await seedJob(t, id)
  const two = await seedJob(t, id)
  await t.post('/results', resultOf(id, one, node, { exec_time_minutes: 1, completion_time: '2026-01-01T00:01:00Z' }))
  await t.post(
    '/results',
    resultOf(id, two, node, { exec_time_minutes: 2.5, completion_time: '2026-01-01T00:05:00+00:00' }),
  )
  const { body: long } = await t.post('/resource_requirements', { workflow_id: id, name: 'long', runtime: 'PT1H' })
  await setStatus(t, await seedJob(t, id, { resource_requirements_id: long.id }), 'ready')
  await setStatus(t, await seedJob(t, id, { labels: ['big', 'gpu'] }), 'ready')
  await setStatus(t, await seedJob(t, id, { labels: ['gpu'] }), 'ready')
  t.clock.now = Date.parse('2026-01-01T00:05:00Z')
  const { body } = await t.get(`/workflows/${id}/status`)
  expect(body).toMatchObject({
    total_jobs: 5,
    total_exec_time_minutes: 3.5,
    walltime_seconds: 300,
    active_compute_nodes: 2,
    pending_scheduled_nodes: 0,
    max_allocation_remaining_seconds: 900,
    runtime_blocked_ready_jobs: 1,
    longest_ready_runtime_seconds: 3_600,
    unserved_ready_labels: { 'big,gpu': 1 },
  })
})

it('POST reset_job_status?failed_only=true goes down any number of levels, and keeps attempt and origin', async () => {
  const id = await seedWorkflow(t)
  const levels = [await seedJob(t, id)]
  for (let k = 1; k < 130; k++) levels.push(await seedJob(t, id, { depends_on_job_ids: [levels.at(-1)!] }))
  for (const job of levels.slice(1)) await setStatus(t, job, 'completed')
  await setStatus(t, levels[0]!, 'failed')
  await t.post(`/jobs/${levels[0]}/retry/0?max_retries=5`)
  await setStatus(t, levels[0]!, 'failed')
  expect((await t.post(`/workflows/${id}/reset_job_status?failed_only=true`)).body.updated_count).toBe(1)
  expect((await t.get(`/workflows/${id}/is_uninitialized`)).body.is_uninitialized).toBe(true)
  expect((await t.get(`/jobs/${levels[0]}`)).body).toMatchObject({ attempt_id: 2, origin: 'retry' })
})
