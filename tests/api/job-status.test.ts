import { afterAll, beforeAll, expect, it } from 'vitest'
import { canMove, isComplete, JOB_STATUSES } from '../../api/core/status.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
let node: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
  node = await seedNode(t, workflow)
})
afterAll(() => t.close())

const read = async (id: number) => (await t.get(`/jobs/${id}`)).body

it('S13 start_job and retry move a job as the table allows, from every status, and name both otherwise', async () => {
  for (const from of JOB_STATUSES) {
    for (const [move, target, request] of [
      ['start', 'running', (id: number) => t.put(`/jobs/${id}/start_job/0/${node}`)],
      ['retry', 'ready', (id: number) => t.post(`/jobs/${id}/retry/0?max_retries=5`)],
    ] as const) {
      const id = await seedJob(t, workflow)
      await setStatus(t, id, from)
      const { status, body } = await request(id)
      expect(status, `${move} from ${from}`).toBe(canMove(move, from, target) ? 200 : 422)
      if (status === 200) expect(body.status).toBe(target)
      else {
        expect(body.error.code).toBe('illegal_status')
        expect(body.error.message).toContain(`from ${from} to ${target}`)
        expect((await read(id)).status).toBe(from)
      }
    }
  }
})

it('S13 manage_status_change moves between all statuses but never to a complete one', async () => {
  for (const from of JOB_STATUSES) {
    for (const target of JOB_STATUSES) {
      const id = await seedJob(t, workflow)
      await setStatus(t, id, from)
      const { status } = await t.put(`/jobs/${id}/manage_status_change/${target}/0`)
      expect(status, `${from} to ${target}`).toBe(isComplete(target) ? 422 : 200)
      expect((await read(id)).status).toBe(isComplete(target) ? from : target)
    }
  }
})

it('S24 start_job, retry and manage_status_change refuse a stale run with both numbers', async () => {
  const id = await seedJob(t, workflow)
  await setStatus(t, id, 'pending')
  for (const reply of [
    await t.put(`/jobs/${id}/start_job/4/${node}`),
    await t.post(`/jobs/${id}/retry/4?max_retries=3`),
    await t.put(`/jobs/${id}/manage_status_change/ready/4`),
  ]) {
    expect(reply.status).toBe(422)
    expect(reply.body.error).toMatchObject({
      code: 'stale_run',
      message: expect.stringMatching(/Run ID mismatch.*4.*0/),
    })
  }
  expect((await t.put(`/jobs/${id}/manage_status_change/pending/4`)).status).toBe(200)
})

it('start_job binds the job to its node, writes the event, and refuses an unknown node', async () => {
  const id = await seedJob(t, workflow)
  await setStatus(t, id, 'pending')
  expect((await t.put(`/jobs/${id}/start_job/0/9999`)).body.error.field).toBe('compute_node_id')
  const { body } = await t.put(`/jobs/${id}/start_job/0/${node}`)
  expect(body).toMatchObject({
    id,
    status: 'running',
    compute_node_id: node,
    start_time: '2026-01-01T00:00:00.000+00:00',
  })
  const events = await t.db.read(function* () {
    const [rows] = yield [
      { sql: 'SELECT seq, type, data FROM stream_event WHERE workflow_id = ? AND job_id = ?', args: [workflow, id] },
    ]
    return rows!
  })
  expect(events).toEqual([
    { seq: expect.any(Number), type: 'job_started', data: JSON.stringify({ compute_node_id: node, run_id: 0 }) },
  ])
})

it('manage_status_change clears the binding and resets the complete jobs below an uninitialized one', async () => {
  const id = await seedWorkflow(t)
  const own = await seedNode(t, id)
  const a = await seedJob(t, id)
  const b = await seedJob(t, id, { depends_on_job_ids: [a] })
  const c = await seedJob(t, id, { depends_on_job_ids: [b] })
  await setStatus(t, a, 'pending')
  await t.put(`/jobs/${a}/start_job/0/${own}`)
  expect((await t.put(`/jobs/${a}/manage_status_change/ready/0`)).body).not.toHaveProperty('compute_node_id')
  for (const job of [a, b, c]) await setStatus(t, job, 'completed')
  await t.put(`/jobs/${a}/manage_status_change/uninitialized/0`)
  expect([(await read(a)).status, (await read(b)).status, (await read(c)).status]).toEqual(
    Array(3).fill('uninitialized'),
  )
})

it('retry makes the next attempt until they are spent, and keeps the record', async () => {
  const id = await seedJob(t, workflow)
  await setStatus(t, id, 'failed')
  expect((await t.post(`/jobs/${id}/retry/0?max_retries=2`)).body).toMatchObject({
    status: 'ready',
    attempt_id: 2,
    origin: 'retry',
  })
  await setStatus(t, id, 'failed')
  expect((await t.post(`/jobs/${id}/retry/0?max_retries=2`)).status).toBe(422)
  expect((await t.post(`/jobs/${id}/retry/0`)).status).toBe(400)
  expect((await t.get(`/jobs?workflow_id=${workflow}&origin_is_set=true`)).body.items).toMatchObject([
    expect.anything(),
    expect.anything(),
    expect.anything(),
    { id },
  ])
})

it('retry blocks again what was canceled or ready because of the job', async () => {
  const id = await seedWorkflow(t)
  const head = await seedJob(t, id)
  const canceled = await seedJob(t, id, { depends_on_job_ids: [head] })
  const below = await seedJob(t, id, { depends_on_job_ids: [canceled] })
  const tolerant = await seedJob(t, id, { depends_on_job_ids: [head], cancel_on_blocking_job_failure: false })
  const own = await seedNode(t, id)
  await t.post(`/workflows/${id}/initialize_jobs`)
  await t.post(`/jobs/${head}/complete_job/failed/0`, {
    workflow_id: id,
    job_id: head,
    run_id: 0,
    compute_node_id: own,
    return_code: 1,
    exec_time_minutes: 1,
    completion_time: '2026-01-01T00:00:00Z',
    status: 'failed',
  })
  const statuses = async () => [
    (await read(canceled)).status,
    (await read(below)).status,
    (await read(tolerant)).status,
  ]
  expect(await statuses()).toEqual(['canceled', 'canceled', 'ready'])
  await t.post(`/jobs/${head}/retry/0?max_retries=3`)
  expect(await statuses()).toEqual(['blocked', 'blocked', 'blocked'])
  const counts = await t.db.read(function* () {
    const [rows] = yield [
      {
        sql: 'SELECT unfinished, unsuccessful FROM job WHERE workflow_id = ? AND id > ? ORDER BY id',
        args: [id, head],
      },
    ]
    return rows!
  })
  expect(counts).toEqual(Array(3).fill({ unfinished: 1, unsuccessful: 0 }))
})
