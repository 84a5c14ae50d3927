import { afterEach, beforeEach, expect, it } from 'vitest'
import { JOB_STATUSES, type JobStatus } from '../../api/core/status.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'
import { statusesOf } from '../helpers/workflow.ts'

/** What initialise makes of jobs (contract/notes.md 8.1). */

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const initialize = (only = false) => t.post(`/workflows/${w}/initialize_jobs?only_uninitialized=${only}`)
const STAYS: JobStatus[] = ['completed', 'failed', 'canceled', 'disabled']
const FINISHED: JobStatus[] = ['completed', 'failed', 'canceled', 'terminated']

it.each(JOB_STATUSES)('initialize_jobs of a job that is %s and waits for nothing', async status => {
  const job = await seedJob(t, w)
  for (const only of [false, true]) {
    await setStatus(t, job, status)
    await initialize(only)
    expect(await statusesOf(t, w), `only_uninitialized=${only}`).toEqual([STAYS.includes(status) ? status : 'ready'])
  }
})

it.each(JOB_STATUSES)('initialize_jobs of a job that is %s and waits for one that is to run', async status => {
  const first = await seedJob(t, w)
  const job = await seedJob(t, w, { depends_on_job_ids: [first] })
  await setStatus(t, job, status)
  await initialize()
  expect(await statusesOf(t, w)).toEqual(['ready', status === 'disabled' ? 'disabled' : 'blocked'])
})

it.each(JOB_STATUSES)('initialize_jobs of a job that waits for one that is %s', async status => {
  const first = await seedJob(t, w)
  await seedJob(t, w, { depends_on_job_ids: [first] })
  await setStatus(t, first, status)
  await initialize()
  const done = STAYS.includes(status)
  expect(await statusesOf(t, w)).toEqual(done ? [status, 'ready'] : ['ready', 'blocked'])
})

it.each(FINISHED)(
  'initialize_jobs?only_uninitialized resets all below an uninitialized job, though they are %s',
  async status => {
    const first = await seedJob(t, w)
    const next = await seedJob(t, w, { depends_on_job_ids: [first] })
    const last = await seedJob(t, w, { depends_on_job_ids: [next] })
    const beside = await seedJob(t, w)
    for (const job of [next, last]) await setStatus(t, job, status)
    await setStatus(t, beside, 'completed')
    await initialize(true)
    expect(await statusesOf(t, w)).toEqual(['ready', 'blocked', 'blocked', 'completed'])
  },
)

it('initialize_jobs makes edges of files and of user data, and keeps those it knows', async () => {
  const file = await seedFile(t, w, 'f')
  const { body: data } = await t.post('/user_data', { workflow_id: w, name: 'd' })
  const producer = await seedJob(t, w, { output_file_ids: [file], output_user_data_ids: [data.id] })
  const byFile = await seedJob(t, w, { input_file_ids: [file] })
  const byData = await seedJob(t, w, { input_user_data_ids: [data.id], depends_on_job_ids: [producer] })
  for (const _ of [1, 2]) await initialize()
  const { items } = (await t.get(`/workflows/${w}/job_dependencies`)).body
  expect(
    items.map((row: { job_id: number; depends_on_job_id: number }) => [row.job_id, row.depends_on_job_id]),
  ).toEqual([
    [byFile, producer],
    [byData, producer],
  ])
})

it('initialize_jobs refuses jobs that wait for each other, by name, and changes nothing', async () => {
  const [one, two] = [await seedFile(t, w, 'one'), await seedFile(t, w, 'two')]
  await seedJob(t, w, { name: 'a', input_file_ids: [one], output_file_ids: [two] })
  await seedJob(t, w, { name: 'b', input_file_ids: [two], output_file_ids: [one] })
  const refused = await initialize()
  expect(refused).toMatchObject({ status: 422, body: { error: { cycle: expect.arrayContaining(['a', 'b']) } } })
  expect(await statusesOf(t, w)).toEqual(['uninitialized', 'uninitialized'])
  expect((await t.get(`/workflows/${w}/job_dependencies`)).body.total_count).toBe(0)
})

it('initialize_jobs drops the latest result of what is to run again, and keeps the stored ones', async () => {
  const node = await seedNode(t, w)
  const again = await seedJob(t, w)
  const done = await seedJob(t, w)
  for (const job of [again, done]) await t.post('/results', resultOf(w, job, node))
  await setStatus(t, done, 'completed')
  await initialize()
  const jobs = async (query: string) =>
    (await t.get(`/results?workflow_id=${w}${query}`)).body.items.map((row: { job_id: number }) => row.job_id)
  expect(await jobs('')).toEqual([done])
  expect(await jobs('&all_runs=true')).toEqual([again, done])
})

it('initialize_jobs leaves run, cancel flag and attempts alone', async () => {
  const job = await seedJob(t, w)
  await initialize()
  await t.post(`/workflows/${w}/claim_next_jobs`)
  await t.put(`/jobs/${job}/start_job/0/${await seedNode(t, w)}`)
  await t.post(`/jobs/${job}/retry/0?max_retries=3`)
  await t.put(`/workflows/${w}/status`, { run_id: 4, is_canceled: true })
  await initialize()
  expect((await t.get(`/workflows/${w}`)).body).toMatchObject({ run_id: 4, is_canceled: true })
  expect((await t.get(`/jobs/${job}`)).body).toMatchObject({ attempt_id: 2, status: 'ready' })
})
