import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

it('POST, GET, PUT and DELETE /files carry one file through', async () => {
  workflow = await seedWorkflow(t)
  const { body } = await t.post('/files', { workflow_id: workflow, name: 'f', path: '/f', st_mtime: 1.5 })
  expect(body).toEqual({ id: body.id, workflow_id: workflow, name: 'f', path: '/f', st_mtime: 1.5 })
  expect((await t.get(`/files/${body.id}`)).body).toEqual(body)
  // A PUT without st_mtime clears it: clients do that for a file that has vanished.
  expect((await t.put(`/files/${body.id}`, { name: 'g' })).body).toEqual({
    id: body.id,
    workflow_id: workflow,
    name: 'g',
    path: '/f',
  })
  expect((await t.del(`/files/${body.id}`)).body.id).toBe(body.id)
  for (const method of ['get', 'del'] as const) expect((await t[method](`/files/${body.id}`)).status).toBe(404)
  expect((await t.put(`/files/${body.id}`, {})).status).toBe(404)
  expect((await t.post('/files', { workflow_id: 999, name: 'f', path: '/f' })).status).toBe(404)
})

it('POST /bulk_files answers in order and stores all or nothing', async () => {
  const id = await seedWorkflow(t)
  const files = ['b', 'a', 'c'].map(name => ({ workflow_id: id, name, path: `/${name}` }))
  const { body } = await t.post('/bulk_files', { files })
  expect(body.files.map((file: { name: string }) => file.name)).toEqual(['b', 'a', 'c'])
  for (const [bad, status] of [
    [[], 422],
    [[files[0], files[0]], 422],
    [[files[0], { ...files[1], workflow_id: await seedWorkflow(t) }], 422],
    [[{ ...files[0], workflow_id: 999 }], 404],
  ] as const) {
    expect((await t.post('/bulk_files', { files: bad })).status).toBe(status)
  }
  expect((await t.get(`/files?workflow_id=${id}`)).body.total_count).toBe(3)
})

it('GET /files filters by name, part of the path, and who makes the file', async () => {
  const id = await seedWorkflow(t)
  const made = await seedFile(t, id, 'made', { path: '/out/Result.csv' })
  const given = await seedFile(t, id, 'given', { path: '/in/x' })
  const job = await seedJob(t, id, { output_file_ids: [made], input_file_ids: [given] })
  const ids = async (query: string) =>
    (await t.get(`/files?workflow_id=${id}&${query}`)).body.items.map((item: { id: number }) => item.id)
  expect(await ids('name=made')).toEqual([made])
  expect(await ids('name=mad')).toEqual([])
  expect(await ids('path=result')).toEqual([made])
  expect(await ids(`produced_by_job_id=${job}`)).toEqual([made])
  expect(await ids('is_output=true')).toEqual([made])
  expect(await ids('is_output=false')).toEqual([made, given])
  expect(await ids('sort_by=name')).toEqual([given, made])
})

it('required_existing_files lists inputs nobody makes and outputs of completed jobs', async () => {
  const id = await seedWorkflow(t)
  const input = await seedFile(t, id, 'input')
  const output = await seedFile(t, id, 'output')
  await seedFile(t, id, 'unused')
  const job = await seedJob(t, id, { input_file_ids: [input], output_file_ids: [output] })
  const files = async () => (await t.get(`/workflows/${id}/required_existing_files`)).body.files
  expect(await files()).toEqual([input])
  await setStatus(t, job, 'completed')
  expect(await files()).toEqual([input, output])
})

it('DELETE /files removes all files of a workflow with their links', async () => {
  const id = await seedWorkflow(t)
  const file = await seedFile(t, id, 'f')
  await seedFile(t, id, 'g')
  const job = await seedJob(t, id, { input_file_ids: [file] })
  expect((await t.del(`/files?workflow_id=${id}`)).body).toEqual({ count: 2, deleted_count: 2 })
  expect((await t.get(`/jobs/${job}`)).body).not.toHaveProperty('input_file_ids')
})

it('job_dependencies and the relationship lists name both sides', async () => {
  const id = await seedWorkflow(t)
  const file = await seedFile(t, id, 'f')
  await seedFile(t, id, 'unused')
  const maker = await seedJob(t, id, { name: 'maker', output_file_ids: [file] })
  const reader = await seedJob(t, id, { name: 'reader', input_file_ids: [file] })
  const late = await seedJob(t, id, { name: 'late', depends_on_job_ids: [reader] })
  await t.post(`/workflows/${id}/initialize_jobs`)
  expect((await t.get(`/workflows/${id}/job_dependencies?sort_by=job_name`)).body.items).toEqual([
    { job_id: late, job_name: 'late', depends_on_job_id: reader, depends_on_job_name: 'reader', workflow_id: id },
    { job_id: reader, job_name: 'reader', depends_on_job_id: maker, depends_on_job_name: 'maker', workflow_id: id },
  ])
  expect((await t.get(`/workflows/${id}/job_file_relationships`)).body).toMatchObject({
    total_count: 1,
    items: [
      {
        file_id: file,
        file_name: 'f',
        file_path: '/data/f',
        workflow_id: id,
        producer_job_id: maker,
        producer_job_name: 'maker',
        consumer_job_id: reader,
        consumer_job_name: 'reader',
      },
    ],
  })
  expect((await t.get(`/workflows/${id}/job_ids`)).body).toEqual({ job_ids: [maker, reader, late], count: 3 })
  expect((await t.get('/workflows/999/job_ids')).status).toBe(404)
})
