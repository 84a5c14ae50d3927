import { afterEach, beforeEach, expect, test } from 'vitest'
import { expectAllCompleted, expectSame } from '../../scripts/bench/counts.ts'
import { WrongResult } from '../../scripts/bench/types.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

test('expectAllCompleted() takes a database in which every job has ended well, with result and event', async () => {
  const workflowId = await seedWorkflow(t)
  const [jobId, nodeId] = [await seedJob(t, workflowId), await seedNode(t, workflowId)]
  await t.post(`/workflows/${workflowId}/initialize_jobs`)
  await t.post(`/jobs/${jobId}/complete_job/completed/0`, resultOf(workflowId, jobId, nodeId))
  expectAllCompleted(t.dbPath, 1, 0)
  expect(() => expectAllCompleted(t.dbPath, 2, 0)).toThrow(WrongResult)
  expect(() => expectAllCompleted(t.dbPath, 1, 1)).toThrow('fileTimes is 0 and must be 1')
})

test('expectAllCompleted() refuses a job without result, and one that is not completed', async () => {
  const workflowId = await seedWorkflow(t)
  await setStatus(t, await seedJob(t, workflowId), 'completed')
  expect(() => expectAllCompleted(t.dbPath, 1, 0)).toThrow('counts in the database: results is 0 and must be 1')
  await seedJob(t, workflowId, { name: 'other' })
  expect(() => expectAllCompleted(t.dbPath, 1, 0)).toThrow('others is 1 and must be 0')
})

test('expectSame() compares only what is wanted', () => {
  expectSame('it', { a: 1, b: 2 }, { a: 1 })
  expect(() => expectSame('it', { a: 1, b: 2 }, { b: 3 })).toThrow('it: b is 2 and must be 3')
})
