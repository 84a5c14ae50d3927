import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow } from '../helpers/seed.ts'
import { jobOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

it('GET /workflows/{id}/graph groups jobs, and counts what leads from group to group', async () => {
  const files = Array.from({ length: 12_000 }, (_, k) => ({
    name: `f${k}`,
    path: `f${k}`,
    stMtime: undefined,
    identifier: undefined,
  }))
  const makers = files.map((_, k) => jobOf(`make_${k}`, { outputFiles: [k] }))
  const readers = files.map((_, k) => jobOf(`read_${k}`, { inputFiles: [k] }))
  const { workflowId } = await startWorkflow(t, workflowOf([...makers, ...readers], { files }))
  const { status, body } = await t.get(`/workflows/${workflowId}/graph`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    workflow_id: workflowId,
    job_count: 24_000,
    grouped_by: 'level_and_name',
    groups: [
      { id: 1, label: 'make_*', job_count: 12_000, jobs_by_status: { ready: 12_000 }, first_level: 0, last_level: 0 },
      { id: 2, label: 'read_*', job_count: 12_000, jobs_by_status: { blocked: 12_000 }, first_level: 1, last_level: 1 },
    ],
    edges: [{ from: 1, to: 2, count: 12_000 }],
  })
})

it('GET /workflows/{id}/graph knows edges through files before the workflow is initialized, and no job of another one', async () => {
  const id = await seedWorkflow(t)
  const other = await seedWorkflow(t)
  const { body: file } = await t.post('/files', { workflow_id: id, name: 'f', path: 'f' })
  const maker = await seedJob(t, id, { name: 'make', output_file_ids: [file.id] })
  await seedJob(t, other, { name: 'strange' })
  const reader = await seedJob(t, id, { name: 'read', input_file_ids: [file.id] })
  const { body } = await t.get(`/workflows/${id}/graph`)
  expect(body.groups.map((group: { job_ids: number[] }) => group.job_ids)).toEqual([[maker], [reader]])
  expect(body.edges).toEqual([{ from: 1, to: 2, count: 1 }])
  expect((await t.get(`/workflows/${id}/graph?group_by=none`)).body.groups).toHaveLength(1)
  expect((await t.get(`/workflows/${id}/graph?max_groups=1`)).body.groups).toHaveLength(1)
})

it.each([
  ['max_groups=0', 422, 'max_groups'],
  ['max_groups=99999', 422, 'max_groups'],
  ['max_groups=x', 400, undefined],
  ['group_by=color', 422, 'group_by'],
])('GET /workflows/{id}/graph?%s is refused with %i', async (query, status, field) => {
  const id = await seedWorkflow(t)
  const reply = await t.get(`/workflows/${id}/graph?${query}`)
  expect([reply.status, reply.body.error.field]).toEqual([status, field])
})
