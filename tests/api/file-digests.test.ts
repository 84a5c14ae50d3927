import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { jobOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const SHA256 = 'a'.repeat(64)

/** A workflow with one job that makes one file, and the file's id. */
async function startOne(): Promise<{ started: Started; fileId: number }> {
  const made = { name: 'made', path: 'made', stMtime: undefined, identifier: undefined }
  const started = await startWorkflow(t, workflowOf([jobOf('make', { outputFiles: [0] })], { files: [made] }))
  const { items } = (await t.get(`/files?workflow_id=${started.workflowId}`)).body
  return { started, fileId: items[0].id }
}

/** Claims the job and tells its end with this about the file; gives the verdict. */
async function tell({ started, fileId }: Awaited<ReturnType<typeof startOne>>, seen: object): Promise<string> {
  const { workflowId, nodeId, jobs } = started
  const claim = { compute_node_id: nodeId, lease_seconds: 60, start: true }
  const [job] = (await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, claim)).body.jobs
  const entry = completionOf(started, jobs[0]!, { claim_token: job.claim_token })
  const completions = [{ ...entry, file_times: [{ file_id: fileId, ...seen }] }]
  const reply = await t.post(`/workflows/${workflowId}/batch_complete_jobs`, { completions, verdicts: true })
  return reply.body.verdicts[0].code
}

test('batch_complete_jobs keeps what was in an output, and GET /files/{id} shows it', async () => {
  const one = await startOne()
  expect(await tell(one, { st_mtime: 1.5, size_bytes: 7, sha256: SHA256 })).toBe('accepted')
  expect((await t.get(`/files/${one.fileId}`)).body).toMatchObject({ st_mtime: 1.5, size_bytes: 7, sha256: SHA256 })
})

test('a file that is seen again without a look inside has no size and hash any more', async () => {
  const one = await startOne()
  await tell(one, { st_mtime: 1.5, size_bytes: 7, sha256: SHA256 })
  await t.post(`/workflows/${one.started.workflowId}/jobs/reset`, { selector: { name: ['make'] } })
  await t.post(`/workflows/${one.started.workflowId}/initialize_jobs?only_uninitialized=true`)
  expect(await tell(one, { st_mtime: 2.5 })).toBe('accepted')
  expect((await t.get(`/files/${one.fileId}`)).body).not.toHaveProperty('sha256')
  expect((await t.get(`/files/${one.fileId}`)).body).not.toHaveProperty('size_bytes')
})

test('PUT /files/{id} with another time drops size and hash, with the same time it keeps them', async () => {
  const one = await startOne()
  await tell(one, { st_mtime: 1.5, size_bytes: 7, sha256: SHA256 })
  const { body } = await t.put(`/files/${one.fileId}`, { name: 'made', path: 'elsewhere', st_mtime: 1.5 })
  expect(body).toMatchObject({ path: 'elsewhere', sha256: SHA256 })
  expect((await t.put(`/files/${one.fileId}`, { st_mtime: 9 })).body).not.toHaveProperty('sha256')
})

test.each([{ sha256: 'abc' }, { sha256: SHA256.toUpperCase() }, { sha256: SHA256, size_bytes: -1 }])(
  'batch_complete_jobs refuses an entry with %o alone',
  async seen => {
    const one = await startOne()
    expect(await tell(one, { st_mtime: 1.5, ...seen })).toBe('mismatch')
    expect((await t.get(`/files/${one.fileId}`)).body).not.toHaveProperty('st_mtime')
  },
)
