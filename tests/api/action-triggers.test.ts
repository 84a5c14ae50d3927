import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
let node: number
let head: number
let tail: number
beforeEach(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
  node = await seedNode(t, workflow)
  head = await seedJob(t, workflow, { name: 'head' })
  tail = await seedJob(t, workflow, { name: 'tail', depends_on_job_ids: [head] })
})
afterEach(() => t.close())

async function act(trigger_type: string, fields: object = {}): Promise<number> {
  const action = { trigger_type, action_type: 'run_commands', action_config: { commands: ['true'] } }
  return (await t.post(`/workflows/${workflow}/actions`, { ...action, ...fields })).body.id
}

const initialize = (query = '') => t.post(`/workflows/${workflow}/initialize_jobs${query}`)
const counts = async () =>
  Object.fromEntries(
    (await t.get(`/workflows/${workflow}/actions`)).body.map((row: { id: number; trigger_count: number }) => [
      row.id,
      row.trigger_count,
    ]),
  )
const executed = async (id: number) =>
  (await t.get(`/workflows/${workflow}/actions`)).body.find((row: { id: number }) => row.id === id).executed
const complete = (job: number, status: string, fields: object = {}) =>
  t.post(
    `/jobs/${job}/complete_job/${status}/0`,
    resultOf(workflow, job, node, { status, return_code: status === 'completed' ? 0 : 1, ...fields }),
  )

it('actions count from the initialise to the last completion, each trigger as it says', async () => {
  const start = await act('on_workflow_start')
  const worker = await act('on_worker_start')
  const ready = await act('on_jobs_ready', { job_ids: [tail] })
  const done = await act('on_jobs_complete', { job_ids: [head, tail] })
  const end = await act('on_workflow_complete')
  await initialize()
  expect(await counts()).toEqual({ [start]: 1, [worker]: 1, [ready]: 0, [done]: 0, [end]: 0 })
  await complete(head, 'completed')
  expect(await counts()).toEqual({ [start]: 1, [worker]: 1, [ready]: 1, [done]: 1, [end]: 0 })
  await complete(tail, 'completed')
  expect(await counts()).toEqual({ [start]: 1, [worker]: 1, [ready]: 1, [done]: 2, [end]: 1 })
})

it('actions count jobs that a failure cancels, and the end of the workflow they bring', async () => {
  const done = await act('on_jobs_complete', { job_ids: [tail] })
  const end = await act('on_workflow_complete')
  await initialize()
  await complete(head, 'failed')
  expect(await counts()).toEqual({ [done]: 1, [end]: 1 })
})

it('actions do not count a single job that is claimed and started as the end of the workflow', async () => {
  const end = await act('on_workflow_complete')
  await initialize()
  await complete(head, 'completed')
  await t.post(`/workflows/${workflow}/claim_next_jobs?limit=1`)
  await t.put(`/jobs/${tail}/start_job/0/${node}`)
  expect(await counts()).toEqual({ [end]: 0 })
})

it('actions do not count what canceling the workflow ends', async () => {
  const done = await act('on_jobs_complete', { job_ids: [head] })
  const end = await act('on_workflow_complete')
  await initialize()
  await setStatus(t, tail, 'completed')
  await t.post(`/workflows/${workflow}/claim_next_jobs?limit=1`)
  await t.put(`/workflows/${workflow}/cancel`)
  expect(await counts()).toEqual({ [done]: 0, [end]: 0 })
})

it('resetActions() counts jobs as they stand at an initialise', async () => {
  const ready = await act('on_jobs_ready', { job_ids: [head, tail] })
  const done = await act('on_jobs_complete', { job_ids: [head, tail] })
  await setStatus(t, head, 'completed')
  await initialize()
  expect(await counts()).toEqual({ [ready]: 2, [done]: 1 })
})

it('resetActions() deletes recovery actions and lets a full initialise execute all others again', async () => {
  const start = await act('on_workflow_start', { executed: true })
  await act('on_workflow_start', { is_recovery: true })
  await initialize()
  expect(await counts()).toEqual({ [start]: 1 })
  expect(await executed(start)).toBe(false)
})

it('resetActions() keeps at a partial initialise what its jobs still justify', async () => {
  const start = await act('on_workflow_start', { executed: true })
  const justified = await act('on_jobs_complete', { job_ids: [head], executed: true })
  const open = await act('on_jobs_complete', { job_ids: [tail], executed: true })
  const worker = await act('on_worker_start', { executed: true })
  await setStatus(t, head, 'completed')
  await initialize('?only_uninitialized=true')
  expect([await executed(start), await executed(justified), await executed(open), await executed(worker)]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

it('actions without jobs never count those of others', async () => {
  const ready = await act('on_jobs_ready')
  const done = await act('on_jobs_complete')
  await initialize()
  for (const job of [head, tail]) await complete(job, 'completed')
  expect(await counts()).toEqual({ [ready]: 0, [done]: 0 })
  expect((await t.get(`/workflows/${workflow}/actions/pending`)).body).toEqual([])
})

it('actions do not count again a job that is made ready by a retry or by hand', async () => {
  const ready = await act('on_jobs_ready', { job_ids: [head, tail] })
  await initialize()
  await t.post(`/workflows/${workflow}/claim_next_jobs?limit=1`)
  await t.put(`/jobs/${head}/manage_status_change/ready/0`)
  await t.post(`/workflows/${workflow}/claim_next_jobs?limit=1`)
  await t.put(`/jobs/${head}/start_job/0/${node}`)
  await t.post(`/jobs/${head}/retry/0?max_retries=3`)
  expect(await counts()).toEqual({ [ready]: 1 })
})

it.each(['pending', 'running'] as const)('resetActions() counts a %s job as one that was ready', async status => {
  const ready = await act('on_jobs_ready', { job_ids: [head] })
  await initialize()
  await t.post(`/workflows/${workflow}/claim_next_jobs?limit=1`, { lease_seconds: 60, compute_node_id: node })
  if (status === 'running') await t.put(`/jobs/${head}/start_job/0/${node}`)
  await initialize('?only_uninitialized=true')
  expect(await counts()).toEqual({ [ready]: 1 })
})

it('resetActions() leaves when an action was executed, and forgets by whom', async () => {
  const start = await act('on_workflow_start')
  await t.post(`/workflows/${workflow}/actions/${start}/claim`, { compute_node_id: node })
  await initialize()
  const [row] = (await t.get(`/workflows/${workflow}/actions`)).body
  expect(row).toMatchObject({ executed: false, executed_at: '2026-01-01T00:00:00.000+00:00' })
  expect(row).not.toHaveProperty('executed_by')
})
