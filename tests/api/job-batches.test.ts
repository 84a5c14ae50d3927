import { afterEach, beforeEach, expect, it } from 'vitest'
import { listProblems } from '../../db/check.ts'
import { openStage } from '../../db/staged-jobs.ts'
import { tick } from '../../db/tick.ts'
import { all, run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedWorkflow } from '../helpers/seed.ts'

/** More jobs than one transaction takes are stored in pieces, and seen at once. */
const MANY = 6_500

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const jobsOf = (fields: object = {}) =>
  Array.from({ length: MANY }, (_, k) => ({ workflow_id: w, name: `j${k}`, command: 'true', ...fields }))
const totalOf = async () => (await t.get(`/jobs?workflow_id=${w}&limit=1`)).body.total_count
const workflowsOf = async () => (await t.db.read(() => all('SELECT id FROM workflow'))).length

it('POST /bulk_jobs gives many jobs ids in their order, counts them, and links them', async () => {
  const file = await seedFile(t, w, 'f')
  const first = await seedJob(t, w, { output_file_ids: [file] })
  const { status, body } = await t.post('/bulk_jobs', {
    jobs: jobsOf({ depends_on_job_ids: [first], input_file_ids: [file] }),
  })
  expect(status).toBe(200)
  expect(body.jobs.map((job: { name: string }) => job.name)).toEqual(jobsOf().map(job => job.name))
  expect(body.jobs[MANY - 1]).toMatchObject({ workflow_id: w, depends_on_job_ids: [first], input_file_ids: [file] })
  expect((await t.get(`/workflows/${w}/summary`)).body.jobs_by_status.uninitialized).toBe(MANY + 1)
  expect(await workflowsOf()).toBe(1)
  await t.post(`/workflows/${w}/initialize_jobs`)
  expect((await t.get(`/workflows/${w}/summary`)).body.jobs_by_status).toMatchObject({ blocked: MANY, ready: 1 })
  expect(await t.db.read(() => listProblems())).toEqual([])
})

it('POST /bulk_jobs shows none of many jobs before all of them', async () => {
  const seen = new Set<number>()
  let done = false
  const creating = t.post('/bulk_jobs', { jobs: jobsOf() }).finally(() => {
    done = true
  })
  let pieces = 0
  while (!done) {
    seen.add(await totalOf())
    const [row] = await t.db.read(() => all<{ n: number }>('SELECT count(*) AS n FROM job'))
    if (row!.n > 0 && row!.n < MANY) pieces++
    await new Promise(resolve => setImmediate(resolve))
  }
  expect((await creating).status).toBe(200)
  seen.add(await totalOf())
  expect([...seen]).toEqual([0, MANY])
  expect(pieces).toBeGreaterThan(0)
})

it('POST /bulk_jobs leaves nothing of many jobs when the last of them cannot be stored', async () => {
  const jobs = [...jobsOf().slice(1), { workflow_id: w, name: 'bad', command: 'c', input_file_ids: [999] }]
  expect(await t.post('/bulk_jobs', { jobs })).toMatchObject({
    status: 422,
    body: { error: { field: 'input_file_ids' } },
  })
  expect(await totalOf()).toBe(0)
  expect(await t.db.read(() => all('SELECT id FROM job'))).toEqual([])
  expect(await workflowsOf()).toBe(1)
})

it('POST /bulk_jobs of many jobs is refused when what they name is deleted meanwhile, or their workflow', async () => {
  for (const path of [`/files/${await seedFile(t, w, 'f')}`, `/workflows/${w}`]) {
    const file = path.startsWith('/files') ? Number(path.split('/')[2]) : undefined
    let done = false
    const creating = t
      .post('/bulk_jobs', { jobs: jobsOf(file === undefined ? {} : { input_file_ids: [file] }) })
      .finally(() => {
        done = true
      })
    for (;;) {
      const [row] = await t.db.read(() => all<{ n: number }>('SELECT count(*) AS n FROM job'))
      if (row!.n > 0 || done) break
      await new Promise(resolve => setImmediate(resolve))
    }
    await t.del(path)
    expect((await creating).status, path).toBe(file === undefined ? 404 : 422)
    expect(await t.db.read(() => all('SELECT id FROM job')), path).toEqual([])
  }
})

it('POST /bulk_jobs with an Idempotency-Key creates many jobs once', async () => {
  const headers = { 'idempotency-key': 'many' }
  const first = await t.post('/bulk_jobs', { jobs: jobsOf() }, headers)
  const again = await t.post('/bulk_jobs', { jobs: jobsOf() }, headers)
  expect(again.body).toEqual(first.body)
  expect(await totalOf()).toBe(MANY)
  expect(await workflowsOf()).toBe(1)
})

it('tick() removes a stage that a crash has left, with its jobs', async () => {
  const stage = await t.db.write(() => openStage(t.clock.now))
  await seedJob(t, w)
  await t.db.write(() => run('UPDATE job SET workflow_id = ?', stage))
  expect((await t.get('/workflows')).body.total_count).toBe(1)
  await tick(t.db, t.clock.now + 601_000)
  expect(await t.db.read(() => all('SELECT id FROM job'))).toEqual([])
  expect(await workflowsOf()).toBe(1)
})

it('POST /bulk_jobs takes 100,001 jobs, as clients slice them, and not one more', async () => {
  const jobs = Array.from({ length: 100_002 }, () => ({ workflow_id: w, name: 'j', command: 'c' }))
  expect(await t.post('/bulk_jobs', { jobs })).toMatchObject({ status: 422, body: { error: { field: 'jobs' } } })
  expect((await t.post('/bulk_jobs', { jobs: jobs.slice(1) })).body.jobs).toHaveLength(100_001)
}, 120_000)
