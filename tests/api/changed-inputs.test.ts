import { afterAll, beforeAll, expect, it } from 'vitest'
import { fingerprint } from '../../api/core/fingerprint.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

it('process_changed_job_inputs finds jobs whose script or user data changed since the workflow was initialized', async () => {
  const id = await seedWorkflow(t)
  const data = (await t.post('/user_data', { workflow_id: id, name: 'd', data: { x: 1 } })).body.id
  const reader = await seedJob(t, id, { name: 'reader', input_user_data_ids: [data] })
  const scripted = await seedJob(t, id, { name: 'scripted' })
  const other = await seedJob(t, id, { name: 'other' })
  await t.post(`/workflows/${id}/initialize_jobs`)
  for (const job of [reader, scripted, other]) await setStatus(t, job, 'completed')
  const changed = async (query = '') =>
    (await t.post(`/workflows/${id}/process_changed_job_inputs${query}`)).body.reinitialized_jobs
  expect(await changed()).toEqual([])

  await t.put(`/user_data/${data}`, { data: { x: 2 } })
  await t.put(`/jobs/${scripted}`, { ...(await t.get(`/jobs/${scripted}`)).body, invocation_script: 'wrap.sh' })
  expect(await changed('?dry_run=true')).toEqual(['reader', 'scripted'])
  expect((await t.get(`/jobs/${reader}`)).body.status).toBe('completed')
  expect(await changed()).toEqual(['reader', 'scripted'])
  const statuses = async () =>
    Promise.all([reader, scripted, other].map(async job => (await t.get(`/jobs/${job}`)).body.status))
  expect(await statuses()).toEqual(['uninitialized', 'uninitialized', 'completed'])
  await t.post(`/workflows/${id}/initialize_jobs?only_uninitialized=true`)
  expect(await changed()).toEqual([])
  await t.put(`/user_data/${data}`, { data: { x: 1 } })
  expect(await changed('?dry_run=true')).toEqual(['reader'])
})

it('fingerprint() differs for inputs that differ in one character, and is the same for the same', () => {
  const inputs = ['', 'a', 'b', 'ab', 'ba', 'a\u0000', 'ä', '[null,"1 {}"]', '[null,"1 {} "]']
  expect(new Set(inputs.map(fingerprint)).size).toBe(inputs.length)
  expect(fingerprint('ab')).toBe(fingerprint(['a', 'b'].join('')))
  expect(fingerprint('ab')).toMatch(/^[0-9a-f]{28}$/)
})
