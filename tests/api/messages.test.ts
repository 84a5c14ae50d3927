import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** Words that people and scripts look for in the messages of refusals (contract/notes.md 4). */

let t: TestApp
let w: number
let job: number
let node: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t, { env: { A: '1' } })
  job = await seedJob(t, w, { output_file_ids: [await seedFile(t, w, 'f')], env: { B: '2' } })
  node = await seedNode(t, w)
})
afterEach(() => t.close())

const initialize = () => t.post(`/workflows/${w}/initialize_jobs`)
const put = async (change: object) => t.put(`/jobs/${job}`, { ...(await t.get(`/jobs/${job}`)).body, ...change })
const action = (action_config: unknown) =>
  t.post(`/workflows/${w}/actions`, { trigger_type: 'on_workflow_start', action_type: 'schedule_nodes', action_config })
const requirements = (fields: object) => t.post('/resource_requirements', { workflow_id: w, name: 'r', ...fields })

const CASES: [condition: string, ask: () => Promise<Reply>, words: (string | RegExp)[]][] = [
  [
    'a field of a job that its status freezes',
    async () => {
      await initialize()
      return put({ name: 'other', command: 'other' })
    },
    ['Cannot update job', 'name', 'command', 'ready', 'uninitialized'],
  ],
  ['a status that only completions set', () => put({ status: 'completed' }), ['Cannot update job status', 'immutable']],
  ['relations of a job', () => put({ output_file_ids: [] }), ['immutable']],
  ['the env of a job', () => put({ env: { A: '2' } }), ['Cannot modify env', 'immutable']],
  [
    'the env of a job that is ready',
    async () => {
      await initialize()
      return put({ env: { A: '2' } })
    },
    ['Cannot update job', 'env', 'ready'],
  ],
  [
    'the env of a workflow',
    () => t.put(`/workflows/${w}`, { name: 'w', user: 'u', env: { A: '2' } }),
    ['Cannot modify env', 'immutable'],
  ],
  ['a negative priority', () => put({ priority: -1 }), ['priority must be >= 0']],
  [
    'an env name that no shell can hold',
    () => t.post('/jobs', { workflow_id: w, name: 'j', command: 'c', env: { 'not-a-name': '1' } }),
    ['not-a-name'],
  ],
  ['no CPUs', () => requirements({ num_cpus: 0 }), ['num_cpus must be > 0']],
  ['no nodes', () => requirements({ num_nodes: 0 }), ['num_nodes must be > 0']],
  [
    'a completion of an earlier run',
    () => t.post(`/jobs/${job}/complete_job/completed/7`, resultOf(w, job, node, { run_id: 7 })),
    ['Run ID mismatch', '7', '0'],
  ],
  ['a start in an earlier run', () => t.put(`/jobs/${job}/start_job/7/${node}`), ['Run ID mismatch', '7', '0']],
  [
    'a reset of an archived workflow',
    async () => {
      await t.post(`/workflows/${w}/archive`, { is_archived: true })
      return t.post(`/workflows/${w}/reset_status?force=true`)
    },
    ['Cannot reset archived'],
  ],
  [
    'a reset beside running jobs',
    async () => {
      await initialize()
      await t.post(`/workflows/${w}/claim_next_jobs`)
      await t.put(`/jobs/${job}/start_job/0/${node}`)
      return t.post(`/workflows/${w}/reset_status`)
    },
    ['running'],
  ],
  [
    'a reset beside allocations',
    async () => {
      const fields = { scheduler_id: 1, scheduler_config_id: 1, scheduler_type: 'slurm', status: 'active' }
      await t.post('/scheduled_compute_nodes', { workflow_id: w, ...fields })
      return t.post(`/workflows/${w}/reset_status`)
    },
    ['scheduled'],
  ],
  ['an action that is no such action', () => action({ no_such_key: 1 }), ['Invalid action_config']],
  ['an action whose configuration is no object', () => action('text'), ['Invalid action_config']],
  [
    'another outcome of a complete job',
    async () => {
      await t.post(`/jobs/${job}/complete_job/completed/0`, resultOf(w, job, node))
      return t.post(`/jobs/${job}/complete_job/failed/0`, resultOf(w, job, node, { status: 'failed', return_code: 1 }))
    },
    ['already complete', 'completed'],
  ],
]

it.each(CASES)('the refusal of %s is 422 and says so', async (_, ask, words) => {
  const { status, body } = await ask()
  expect(status).toBe(422)
  for (const word of words) expect(body.error.message).toMatch(word)
})

it.each([
  ['memory', '4 gb'],
  ['memory', '1.5g'],
  ['memory', '-1g'],
  ['memory', ''],
  ['memory', '9'.repeat(30)],
  ['runtime', '1 hour'],
  ['runtime', ''],
])('the refusal of %s %j names the field and the value', async (field, value) => {
  expect(await requirements({ [field]: value })).toMatchObject({ status: 422, body: { error: { field, value } } })
})

it('refusals of operations that runners call repeat no text of users', async () => {
  const words = 'connection timeout, database is locked'
  const named = await seedJob(t, w, { name: words, command: words, env: { A: words } })
  const messages = [
    await t.put(`/jobs/${named}/start_job/0/${node}`),
    await t.post(`/jobs/${named}/retry/0?max_retries=1`),
    await t.post(`/jobs/${named}/complete_job/completed/3`, resultOf(w, named, node, { run_id: 3 })),
    await t.post(`/workflows/${w}/claim_jobs_based_on_resources/1`, {
      num_cpus: 1,
      memory_gb: 1,
      num_gpus: 0,
      num_nodes: 1,
      time_limit: 'never',
    }),
  ].map(reply => reply.body.error.message)
  for (const message of messages)
    expect(message).not.toMatch(/connection|timeout|network|dns|resolve|unreachable|locked|busy/i)
})
