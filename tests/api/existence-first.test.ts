import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** What a request names has to exist before any other rule is looked at (contract/notes.md 4). */

let t: TestApp
let w: number
let job: number
beforeAll(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
  job = await seedJob(t, w)
})
afterAll(() => t.close())

const MISSING = 9_999
const own = { workflow_id: MISSING, name: 'n' }
const newJob = { ...own, command: 'c' }
const node = {
  ...own,
  hostname: 'n',
  pid: 1,
  start_time: '2026-01-01T00:00:00Z',
  num_cpus: 1,
  memory_gb: 1,
  num_gpus: 0,
  num_nodes: 1,
  compute_node_type: 'local',
}
const action = { ...own, trigger_type: 'on_workflow_start', action_type: 'run_commands', action_config: {} }

/** Each breaks a rule, too. */
const CREATIONS: [path: string, body: object][] = [
  ['/jobs', { ...newJob, priority: -1 }],
  ['/jobs', { ...newJob, labels: ['a,b'] }],
  ['/jobs', { ...newJob, env: { 'no name': '1' } }],
  ['/jobs', { ...newJob, depends_on_job_ids: [MISSING] }],
  ['/bulk_jobs', { jobs: [{ ...newJob, priority: -1 }] }],
  ['/bulk_files', { files: [1, 2].map(() => ({ ...own, path: '/same' })) }],
  ['/bulk_user_data', { user_data: [own, own] }],
  ['/user_data?consumer_job_id=9999', own],
  ['/resource_requirements', { ...own, num_cpus: 0 }],
  ['/resource_requirements', { ...own, num_gpus: -1 }],
  ['/resource_requirements', { ...own, memory: 'much' }],
  ['/resource_requirements', { ...own, name: 'default' }],
  ['/failure_handlers', { ...own, rules: 'none' }],
  ['/compute_nodes', { ...node, labels: [''] }],
  ['/results', resultOf(MISSING, MISSING, MISSING)],
  ['/slurm_stats', { ...own, job_id: MISSING, run_id: 0, attempt_id: 1 }],
  [`/workflows/${MISSING}/actions`, action],
  [`/workflows/${MISSING}/actions`, { ...action, trigger_type: 'on_full_moon' }],
  [`/workflows/${MISSING}/claim_jobs_based_on_resources/1`, { ...node, labels: [''] }],
  [`/workflows/${MISSING}/claim_next_jobs?labels=a%20`, {}],
  [`/jobs/${MISSING}/spawn_jobs`, { jobs: [{ ...newJob, priority: -1 }] }],
  [`/access_groups/${MISSING}/members`, { user_name: 'u', role: 'king' }],
]

it.each(CREATIONS)('POST %s of what is missing is 404 before any rule of %j', async (path, body) => {
  expect(await t.post(path, body)).toMatchObject({ status: 404, body: { error: { error: 'NotFound' } } })
})

const CHANGES: [path: string, body: object][] = [
  [`/jobs/${MISSING}`, { workflow_id: 1, name: 'n', command: 'c', priority: -1 }],
  [`/workflows/${MISSING}`, { name: 'n', user: 'u', env: { 'no name': '1' } }],
  [`/resource_requirements/${MISSING}`, { name: 'n', num_nodes: 0 }],
  [`/workflows/1/actions/${MISSING}`, {}],
  [`/workflows/1/actions/${MISSING}`, []],
]

it.each(CHANGES)('PUT %s is 404 before any rule of %j', async (path, body) => {
  expect((await t.put(path, body)).status).toBe(404)
})

it.each(['limit=100001', 'limit=-1', 'offset=-1'])('a list of a missing workflow is 404 before %s', async query => {
  expect((await t.get(`/jobs?workflow_id=${MISSING}&${query}`)).status).toBe(404)
  expect((await t.get(`/jobs?workflow_id=${w}&${query}`)).status).toBe(422)
})

it('a rule is what a request is refused for when all that it names is there', async () => {
  const refused = await t.post('/jobs', { ...newJob, workflow_id: w, priority: -1 })
  expect(refused).toMatchObject({ status: 422, body: { error: { field: 'priority' } } })
})

it('a request that does not say what it is about is refused for that', async () => {
  for (const workflow_id of [undefined, 'text', 1.5]) {
    const refused = await t.post('/jobs', { ...newJob, workflow_id })
    expect(refused).toMatchObject({ status: 422, body: { error: { field: 'workflow_id' } } })
  }
})

it('a target that only completions reach is 422 before the job is looked at, and so is a completion with another one', async () => {
  for (const id of [job, MISSING]) {
    expect((await t.put(`/jobs/${id}/manage_status_change/completed/0`)).status).toBe(422)
    const result = resultOf(w, id, await seedNode(t, w), { status: 'ready' })
    expect((await t.post(`/jobs/${id}/complete_job/ready/0`, result)).status).toBe(422)
  }
  expect((await t.put(`/jobs/${MISSING}/manage_status_change/ready/7`)).status).toBe(404)
})
