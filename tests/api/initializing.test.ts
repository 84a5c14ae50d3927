import { afterEach, beforeEach, expect, it } from 'vitest'
import { beginInitializing, endInitializing } from '../../db/initializing.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'
import { statusesOf } from '../helpers/workflow.ts'

/** A large workflow is initialized in pieces; these requests come between two of them. */

let t: TestApp
let w: number
let jobs: number[]
let node: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
  node = await seedNode(t, w)
  jobs = [await seedJob(t, w), await seedJob(t, w)]
  await t.post(`/workflows/${w}/initialize_jobs`)
  await t.post(`/workflows/${w}/claim_next_jobs?limit=1`)
  await t.db.write(() => beginInitializing(w, 'initialize', t.clock.now))
})
afterEach(() => t.close())

const job = () => ({ workflow_id: w, name: 'more', command: 'true' })

it.each<[string, () => ReturnType<TestApp['post']>]>([
  ['POST /jobs', () => t.post('/jobs', job())],
  ['POST /bulk_jobs', () => t.post('/bulk_jobs', { jobs: [job()] })],
  ['PUT /jobs/{id}', async () => t.put(`/jobs/${jobs[0]}`, { ...(await t.get(`/jobs/${jobs[0]}`)).body, priority: 9 })],
  ['DELETE /jobs/{id}', () => t.del(`/jobs/${jobs[0]}`)],
  ['DELETE /jobs', () => t.del(`/jobs?workflow_id=${w}`)],
  ['start_job', () => t.put(`/jobs/${jobs[0]}/start_job/0/${node}`)],
  ['manage_status_change', () => t.put(`/jobs/${jobs[0]}/manage_status_change/ready/0`)],
  ['retry', () => t.post(`/jobs/${jobs[0]}/retry/0?max_retries=3`)],
  ['spawn_jobs', () => t.post(`/jobs/${jobs[0]}/spawn_jobs`, { jobs: [{ name: 'a', command: 'b' }] })],
  ['process_changed_job_inputs', () => t.post(`/workflows/${w}/process_changed_job_inputs`)],
  ['reset_job_status', () => t.post(`/workflows/${w}/reset_job_status`)],
  ['initialize_jobs', () => t.post(`/workflows/${w}/initialize_jobs`)],
])('%s of a workflow that is being initialized is 503 with Retry-After, and right a moment later', async (_, ask) => {
  const before = await t.get(`/jobs?workflow_id=${w}`)
  const refused = await ask()
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await t.get(`/jobs?workflow_id=${w}`)).body).toEqual(before.body)
  await t.db.write(() => endInitializing(w))
  expect((await ask()).status).not.toBe(503)
})

it('PUT cancel of a workflow that is being initialized sets the flag and leaves its jobs to the initialise', async () => {
  const before = await statusesOf(t, w)
  expect((await t.put(`/workflows/${w}/cancel`)).body.is_canceled).toBe(true)
  expect(await statusesOf(t, w)).toEqual(before)
})
