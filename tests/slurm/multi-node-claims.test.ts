import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { independent, jobOf, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

test('S65 a job of several nodes that was passed over for 60 s keeps others off the node until all of it is free', async () => {
  const sets = { resourceRequirements: [requirementsOf('wide', { numNodes: 2 }), requirementsOf('small')] }
  const jobs = [jobOf('wide', { resourceRequirements: 0 }), ...independent(9, { resourceRequirements: 1 })]
  const { workflowId, nodeId } = await startWorkflow(t, workflowOf(jobs, sets))
  const claim = async (cpus: number, nodes: number): Promise<string[]> => {
    const reply = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/1`, {
      num_cpus: cpus,
      memory_gb: 8,
      num_gpus: 0,
      num_nodes: nodes,
      total: { num_cpus: 4, memory_gb: 8, num_nodes: 2 },
      compute_node_id: nodeId,
    })
    return reply.body.jobs.map((job: { name: string }) => job.name)
  }
  expect(await claim(3, 1)).toEqual(['job_0'])
  t.clock.now += 60_000
  expect(await claim(3, 1)).toEqual([])
  expect(await claim(4, 2)).toEqual(['wide'])
  expect(await claim(1, 1)).toEqual(['job_1'])
})
