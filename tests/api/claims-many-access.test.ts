import { afterEach, beforeEach, expect, test } from 'vitest'
import { accessApp, actingAs, as } from '../helpers/access.ts'
import type { TestApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let ada: TestApp
let ben: TestApp
beforeEach(async () => {
  t = await accessApp()
  ada = actingAs(t, as('ada'))
  ben = actingAs(t, as('ben'))
})
afterEach(() => t.close())

const node = {
  hostname: 'n1',
  pid: 1,
  start_time: '2026-01-01T00:00:00Z',
  num_cpus: 4,
  memory_gb: 8,
  num_gpus: 0,
  num_nodes: 1,
  compute_node_type: 'local',
}
const CLAIM = { limit: 4, num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1, lease_seconds: 120, start: true, node }

test('POST /claims gives everybody jobs of their own workflows only', async () => {
  const ofAda = await startWorkflow(ada, workflowOf(independent(2)))
  const ofBen = await startWorkflow(ben, workflowOf(independent(2)))
  const reply = await ben.post('/claims', CLAIM)
  expect(reply.body.jobs.map((job: { workflow_id: number }) => job.workflow_id)).toEqual([
    ofBen.workflowId,
    ofBen.workflowId,
  ])
  expect((await ben.post('/claims', { ...CLAIM, workflow_ids: [ofAda.workflowId] })).body.jobs).toEqual([])
  expect((await ben.post('/claims', { ...CLAIM, user: 'ada' })).body.jobs).toEqual([])
})

test("POST /claims refuses completions of another user's workflow, and takes no node of it", async () => {
  const ofAda = await startWorkflow(ada, workflowOf(independent(2)))
  const { jobs } = (await ada.post('/claims', { ...CLAIM, limit: 1 })).body
  const completions = [completionOf(ofAda, jobs[0].id, { claim_token: jobs[0].claim_token })]
  const told = await ben.post('/claims', { limit: 0, completions, verdicts: true })
  expect(told.body.verdicts).toMatchObject([{ code: 'not_found' }])
  const claims = [{ ...jobs[0], job_id: jobs[0].id }]
  expect((await ben.post('/claims/heartbeat', { claims })).body).toMatchObject({ lost: [jobs[0].id] })
  expect((await ben.post('/claims/release', { claims })).body.released).toEqual([])
  const compute_nodes = [jobs[0].compute_node_id]
  expect((await ben.post('/claims/summary', { compute_nodes, workflow_ids: [ofAda.workflowId] })).body).toMatchObject({
    workflows: 0,
    total_jobs: 0,
  })
  expect((await ada.get(`/jobs/${jobs[0].id}`)).body.status).toBe('running')
})
