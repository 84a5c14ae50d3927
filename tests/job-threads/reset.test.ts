import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { independent, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

test('S78 a job that was reset while it was finalised gets no result from the old finaliser', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const { workflowId, nodeId, jobs } = started
  const claim = { compute_node_id: nodeId, lease_seconds: 60, start: true }
  const [job] = (await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, claim)).body.jobs
  expect(await t.post(`/workflows/${workflowId}/jobs/reset`, { selector: { name: ['job_0'] } })).toMatchObject({
    status: 200,
  })
  await t.post(`/workflows/${workflowId}/initialize_jobs?only_uninitialized=true`)
  const late = completionOf(started, jobs[0]!, { claim_token: job.claim_token })
  const reply = await t.post(`/workflows/${workflowId}/batch_complete_jobs`, { completions: [late], verdicts: true })
  expect(reply.body).toMatchObject({ completed: [], verdicts: [{ job_id: jobs[0], code: expect.any(String) }] })
  expect(await statusesOf(t, workflowId)).toEqual(['ready'])
  expect((await t.get(`/results?workflow_id=${workflowId}`)).body.items).toEqual([])
  await assertInvariants(t.db)
})
