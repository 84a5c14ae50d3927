import { afterAll, beforeAll, expect, it } from 'vitest'
import { fingerprint } from '../../api/core/fingerprint.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

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

/** A workflow that has been initialized, with a job that waits for another and reads and writes a file and user data. */
async function initialized() {
  const id = await seedWorkflow(t)
  const before = await seedJob(t, id, { name: 'before' })
  const files = [await seedFile(t, id, 'in'), await seedFile(t, id, 'out')]
  const data = (await t.post('/user_data', { workflow_id: id, name: 'out' })).body.id
  const job = await seedJob(t, id, {
    name: 'job',
    depends_on_job_ids: [before],
    input_file_ids: [files[0]],
    output_file_ids: [files[1]],
    output_user_data_ids: [data],
  })
  await seedJob(t, id, { name: 'other' })
  await t.post(`/workflows/${id}/initialize_jobs`)
  const put = async (change: object) => t.put(`/jobs/${job}`, { ...(await t.get(`/jobs/${job}`)).body, ...change })
  return { id, before, files, data, job, put }
}

type Made = Awaited<ReturnType<typeof initialized>>

it.each<[string, string[], (made: Made) => Promise<unknown>]>([
  ['another command', ['job'], ({ put }) => put({ command: 'false' })],
  ['other dependencies', ['job'], ({ put }) => put({ depends_on_job_ids: [] })],
  ['a dependency that is gone', ['job'], ({ before }) => t.del(`/jobs/${before}`)],
  ['an input file that is gone', ['job'], ({ files }) => t.del(`/files/${files[0]}`)],
  ['an output file that is gone', ['job'], ({ files }) => t.del(`/files/${files[1]}`)],
  ['files that are gone', ['job'], ({ id }) => t.del(`/files?workflow_id=${id}`)],
  ['output data that is gone', ['job'], ({ data }) => t.del(`/user_data/${data}`)],
  ['data that is gone', ['job'], ({ id }) => t.del(`/user_data?workflow_id=${id}`)],
  ['another name and priority', [], ({ put }) => put({ name: 'renamed', priority: 4 })],
  ['a job that has come since', [], ({ id }) => seedJob(t, id, { invocation_script: 'x' })],
])('process_changed_job_inputs and %s: %j', async (_, names, change) => {
  const made = await initialized()
  await t.post(`/workflows/${made.id}/reset_job_status`)
  const changed = async (query = '') =>
    (await t.post(`/workflows/${made.id}/process_changed_job_inputs${query}`)).body.reinitialized_jobs
  expect(await changed('?dry_run=true')).toEqual([])
  await change(made)
  expect(await changed('?dry_run=true')).toEqual(names)
  expect(await changed()).toEqual(names)
  await t.post(`/workflows/${made.id}/initialize_jobs`)
  expect(await changed()).toEqual([])
})

it('process_changed_job_inputs knows nothing before the first initialise', async () => {
  const id = await seedWorkflow(t)
  const job = await seedJob(t, id)
  await t.put(`/jobs/${job}`, { ...(await t.get(`/jobs/${job}`)).body, command: 'false', invocation_script: 'x' })
  expect((await t.post(`/workflows/${id}/process_changed_job_inputs`)).body.reinitialized_jobs).toEqual([])
})
