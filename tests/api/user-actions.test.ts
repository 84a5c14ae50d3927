import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

/** What `GET /events` tells of operations that people ask for (contract/notes.md 7.3, 8.2, 8.3, 9.6, 13.1, 19.4, 19.10, 19.11). */

let t: TestApp
let w: number
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

/** The data of the only event that `act` writes in a new workflow. */
async function eventOf(act: () => Promise<unknown>): Promise<object> {
  await act()
  const { items } = (await t.get(`/events?workflow_id=${w}`)).body
  expect(items).toHaveLength(1)
  return items[0].data
}

const failedJob = async (): Promise<number> => {
  const job = await seedJob(t, w, { name: 'again' })
  await setStatus(t, job, 'failed')
  return job
}

const newAction = async (): Promise<string> => {
  const fields = { trigger_type: 'on_workflow_start', action_type: 'run_commands', action_config: { commands: ['x'] } }
  return `/workflows/${w}/actions/${(await t.post(`/workflows/${w}/actions`, fields)).body.id}`
}

const newRequirements = async (): Promise<string> =>
  `/resource_requirements/${(await t.post('/resource_requirements', { workflow_id: w, name: 'r' })).body.id}`

const CASES: [data: object, act: () => Promise<unknown>][] = [
  [{ action: 'archive_workflow', is_archived: true }, () => t.post(`/workflows/${w}/archive`, { is_archived: true })],
  [{ action: 'reset_workflow_status', force: true }, () => t.post(`/workflows/${w}/reset_status?force=true`)],
  [{ action: 'reset_workflow_status', force: false }, () => t.post(`/workflows/${w}/reset_status`)],
  [
    { action: 'reset_job_status', failed_only: true, updated_count: 1 },
    async () => {
      await failedJob()
      await t.post(`/workflows/${w}/reset_job_status?failed_only=true`)
    },
  ],
  [
    { action: 'process_changed_job_inputs', reinitialized_count: 1, reinitialized_jobs: ['j'] },
    async () => {
      const job = await seedJob(t, w)
      await t.post(`/workflows/${w}/initialize_jobs`)
      await t.put(`/jobs/${job}`, { ...(await t.get(`/jobs/${job}`)).body, invocation_script: 'new.sh' })
      await t.post(`/workflows/${w}/process_changed_job_inputs?dry_run=true`)
      await t.post(`/workflows/${w}/process_changed_job_inputs`)
    },
  ],
  [
    { action: 'process_changed_job_inputs', reinitialized_count: 0, reinitialized_jobs: [] },
    () => t.post(`/workflows/${w}/process_changed_job_inputs`),
  ],
  [{ action: 'update_workflow_action' }, async () => t.put(await newAction(), { commands: ['y'] })],
  [{ action: 'delete_workflow_action' }, async () => t.del(await newAction())],
  [
    {
      action: 'update_resource_requirements',
      ...{ name: 'more', num_cpus: 3, num_gpus: 0, num_nodes: 1, memory: '2g', runtime: 'PT1M' },
    },
    async () => t.put(await newRequirements(), { name: 'more', num_cpus: 3, memory: '2g' }),
  ],
]

it.each(CASES)('the event of a user action tells %j', async (data, act) => {
  w = await seedWorkflow(t)
  expect(await eventOf(act)).toMatchObject({ category: 'user_action', user: 'anonymous', workflow_id: w, ...data })
})

it('the event of a cancel tells the workflow and its run, once', async () => {
  w = await seedWorkflow(t)
  await t.put(`/workflows/${w}/status`, { run_id: 4, is_canceled: false })
  const data = await eventOf(async () => {
    for (const _ of [1, 2]) await t.put(`/workflows/${w}/cancel`)
  })
  expect(data).toMatchObject({
    category: 'workflow_canceled',
    message: expect.any(String),
    workflow_id: w,
    run_id: 4,
  })
})

it('the event of a retry tells both attempts', async () => {
  w = await seedWorkflow(t)
  const job = await failedJob()
  expect(await eventOf(() => t.post(`/jobs/${job}/retry/0?max_retries=3`))).toMatchObject({
    event_type: 'job_retried',
    job_id: job,
    job_name: 'again',
    previous_attempt: 1,
    new_attempt: 2,
    run_id: 0,
    message: expect.any(String),
  })
})
