import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { OVER_SQLD } from '../helpers/back-end.ts'
import { completionOf } from '../helpers/completion.ts'
import { independent, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { postOver, watchDb } from '../helpers/wrapped-db.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

/** Statements and rows that one claim of ten and one complete+claim of ten cost with so many jobs ready. */
async function costWith(ready: number): Promise<{ statements: number; rows: number }[]> {
  const sets = [requirementsOf('a'), requirementsOf('b', { memoryBytes: 2 ** 21 })]
  const jobs = independent(ready).map((job, k) => ({ ...job, resourceRequirements: k % 2, priority: k % 3 }))
  const started = await startWorkflow(t, workflowOf(jobs, { resourceRequirements: sets }))
  const cost = { statements: 0, rows: 0 }
  const post = postOver(
    t,
    watchDb(t.db, {
      after: (_, rows) => {
        cost.statements++
        cost.rows += rows.length
      },
    }),
  )
  const claim = {
    num_cpus: 10,
    memory_gb: 8,
    num_gpus: 0,
    num_nodes: 1,
    total: { num_cpus: 10, memory_gb: 8 },
    compute_node_id: started.nodeId,
  }
  await post(`/workflows/${started.workflowId}/claim_next_jobs?limit=0`, {})
  const costs: { statements: number; rows: number }[] = []
  const take = () => costs.push({ ...cost }) && Object.assign(cost, { statements: 0, rows: 0 })
  take()
  const first = await post(`/workflows/${started.workflowId}/claim_jobs_based_on_resources/10`, claim)
  expect(first.body.jobs).toHaveLength(10)
  take()
  const completions = first.body.jobs.map((job: { id: number }) => completionOf(started, job.id))
  const second = await post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions,
    claim: { ...claim, limit: 10 },
  })
  expect(second.body).toMatchObject({ errors: [], claimed: Array(10).fill({}) })
  take()
  return costs.slice(1)
}

const MANY = OVER_SQLD ? 20_000 : 100_000

it(`a claim costs as many statements and rows with ${MANY} ready jobs as with thirty`, async () => {
  const few = await costWith(30)
  expect(few.every(cost => cost.statements > 0 && cost.rows > 0)).toBe(true)
  expect(await costWith(1_000)).toEqual(few)
  expect(await costWith(MANY)).toEqual(few)
}, 60_000)
