import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'
import { statusesOf } from '../helpers/workflow.ts'

/** Defects of Torc's servers that are not repeated here, by the numbers of contract/notes.md 15 and 19.18. */

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const OFFER = { num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1 }
const claim = async (workflow = w, limit = 10): Promise<number[]> => {
  const { body } = await t.post(`/workflows/${workflow}/claim_jobs_based_on_resources/${limit}`, OFFER)
  return body.jobs.map((job: { id: number }) => job.id)
}
const initialize = (query = '') => t.post(`/workflows/${w}/initialize_jobs${query}`)
const entryOf = (job: number, node: number, fields: object = {}) => {
  const result = resultOf(w, job, node, fields)
  return { job_id: job, status: result.status, run_id: result.run_id, result }
}
const complete = (completions: object[]) => t.post(`/workflows/${w}/batch_complete_jobs`, { completions })
const statusOf = async (job: number): Promise<string> => (await t.get(`/jobs/${job}`)).body.status

describe('defects of Torc 0.25', () => {
  it('D1 a job shows no scheduler, handler or script that it does not have, and zeros written back change nothing', async () => {
    const job = await seedJob(t, w)
    const { body } = await t.get(`/jobs/${job}`)
    for (const field of ['scheduler_id', 'failure_handler_id', 'invocation_script'])
      expect(body).not.toHaveProperty(field)
    const zeros = { ...body, scheduler_id: 0, failure_handler_id: 0, invocation_script: '', priority: 2 }
    const { status, body: after } = await t.put(`/jobs/${job}`, zeros)
    expect(status).toBe(200)
    expect(after).toEqual({ ...body, priority: 2 })
  })

  it('D2 filtered compute nodes are counted', async () => {
    await seedNode(t, w, { hostname: 'a' })
    await seedNode(t, w, { hostname: 'b', is_active: false })
    const page = async (query: string) => (await t.get(`/compute_nodes?workflow_id=${w}&${query}`)).body
    expect(await page('is_active=true&limit=1')).toMatchObject({ total_count: 1, has_more: false, count: 1 })
    expect(await page('hostname=b')).toMatchObject({ total_count: 1 })
    expect(await page('limit=1')).toMatchObject({ total_count: 2, has_more: true })
  })

  it('D3 a job that is not pending cannot be started: 422, which is final', async () => {
    const job = await seedJob(t, w)
    const node = await seedNode(t, w)
    expect((await t.put(`/jobs/${job}/start_job/0/${node}`)).status).toBe(422)
  })

  it('D4 conditions that do not pass by themselves are no 5xx', async () => {
    const job = await seedJob(t, w)
    const node = await seedNode(t, w)
    const result = resultOf(w, job, node, { attempt_id: 1 })
    await t.post('/results', result)
    const statuses = await Promise.all([
      t.get('/workflows?limit=100001'),
      t.post('/resource_requirements', { workflow_id: w, name: 'default' }),
      t.post(`/jobs/${job}/complete_job/ready/0`, result),
      t.post(`/jobs/${job}/complete_job/completed/7`, { ...result, run_id: 7 }),
      t.post(`/jobs/${job}/complete_job/completed/0`, { ...result, compute_node_id: 99 }),
      t.post('/results', result),
      t.post('/jobs', { workflow_id: w, name: 'j', command: 'c', input_file_ids: [99] }),
      t.post('/admin/reload-auth'),
    ]).then(replies => replies.map(reply => reply.status))
    expect(statuses).toEqual([422, 422, 422, 422, 422, 409, 422, 422])
    const slurm = { workflow_id: w, name: null, account: 'a', nodes: 1, walltime: '1:00' }
    expect((await t.post('/slurm_schedulers', slurm)).status).toBe(200)
    const requirements = await t.get(`/resource_requirements?workflow_id=${w}&job_id=${job}`)
    expect(requirements.body.items.map((row: { name: string }) => row.name)).toEqual(['default'])
    expect((await t.del(`/events?workflow_id=${w}`)).body).toEqual({ count: 0 })
  })

  it('D5 a bad entry does not spoil its batch', async () => {
    const [good, bad] = [await seedJob(t, w), await seedJob(t, w)]
    const node = await seedNode(t, w)
    const reply = await complete([entryOf(good, node), entryOf(bad, node, { status: 'running' }), entryOf(bad, 99)])
    expect(reply.status).toBe(200)
    expect(reply.body.completed).toEqual([good])
    expect(reply.body.errors).toHaveLength(2)
  })

  it('D6 a failure cancels all levels below it at once, without any result of its own', async () => {
    const head = await seedJob(t, w)
    const middle = await seedJob(t, w, { depends_on_job_ids: [head] })
    await seedJob(t, w, { depends_on_job_ids: [middle] })
    const counted = {
      trigger_type: 'on_workflow_complete',
      action_type: 'run_commands',
      action_config: { commands: ['x'] },
    }
    await t.post(`/workflows/${w}/actions`, { workflow_id: w, ...counted })
    await initialize()
    await complete([entryOf(head, await seedNode(t, w), { status: 'terminated', return_code: 0 })])
    expect(await statusesOf(t, w)).toEqual(['terminated', 'canceled', 'canceled'])
    expect((await t.get(`/workflows/${w}/actions/pending`)).body).toHaveLength(1)
  })

  it('D7 user data without data, or with a bare number, is listed and read', async () => {
    await t.post('/user_data', { workflow_id: w, name: 'none' })
    const { body: seven } = await t.post('/user_data', { workflow_id: w, name: 'seven', data: 7 })
    const { items } = (await t.get(`/user_data?workflow_id=${w}`)).body
    expect(items).toEqual([expect.not.objectContaining({ data: expect.anything() }), seven])
    expect((await t.get(`/user_data/${seven.id}`)).body.data).toBe(7)
  })

  it('D8 a disabled job blocks nobody', async () => {
    const off = await seedJob(t, w)
    const next = await seedJob(t, w, { depends_on_job_ids: [off] })
    const body = (await t.get(`/jobs/${off}`)).body
    await t.put(`/jobs/${off}`, { ...body, status: 'disabled' })
    await initialize()
    expect(await claim()).toEqual([next])
    await complete([entryOf(next, await seedNode(t, w))])
    expect((await t.get(`/workflows/${w}/is_complete`)).body.is_complete).toBe(true)
  })

  it('D8 a job that is disabled while others wait for it releases them', async () => {
    const off = await seedJob(t, w)
    const next = await seedJob(t, w, { depends_on_job_ids: [off] })
    await initialize()
    await t.put(`/jobs/${off}/manage_status_change/uninitialized/0`)
    expect(await statusOf(next)).toBe('blocked')
    await t.put(`/jobs/${off}`, { ...(await t.get(`/jobs/${off}`)).body, status: 'disabled' })
    expect(await statusOf(next)).toBe('ready')
  })

  it('D9 initialise leaves a live lease and disabled jobs alone, and frees what is claimed without a lease', async () => {
    const node = await seedNode(t, w)
    const leased = await seedJob(t, w, { priority: 2 })
    const bare = await seedJob(t, w, { priority: 1 })
    const first = await seedJob(t, w)
    const off = await seedJob(t, w, { depends_on_job_ids: [first] })
    await t.put(`/jobs/${off}`, { ...(await t.get(`/jobs/${off}`)).body, status: 'disabled' })
    await initialize()
    const lease = { lease_seconds: 60, compute_node_id: node, start: true }
    const { body } = await t.post(`/workflows/${w}/claim_jobs_based_on_resources/1`, { ...OFFER, ...lease })
    expect(body.jobs.map((job: { id: number }) => job.id)).toEqual([leased])
    expect(await claim(w, 1)).toEqual([bare])
    await initialize()
    expect(await statusesOf(t, w)).toEqual(['running', 'ready', 'ready', 'disabled'])
  })

  it('D10 neither jobs nor results go with what they used', async () => {
    const { body: needs } = await t.post('/resource_requirements', { workflow_id: w, name: 'r' })
    const job = await seedJob(t, w, { resource_requirements_id: needs.id })
    const node = await seedNode(t, w)
    const { body: result } = await t.post('/results', resultOf(w, job, node))
    expect((await t.del(`/resource_requirements/${needs.id}`)).status).toBe(422)
    expect((await t.del(`/resource_requirements?workflow_id=${w}`)).body).toEqual({ count: 0 })
    expect((await t.del(`/compute_nodes/${node}`)).status).toBe(200)
    expect((await t.get(`/results/${result.id}`)).body).toMatchObject({ job_id: job, compute_node_id: node })
  })

  it('D11 nothing of a deleted workflow is left', async () => {
    const job = await seedJob(t, w)
    const { body: task } = await initialize('?async=true')
    await t.post('/slurm_stats', { workflow_id: w, job_id: job, run_id: 0, attempt_id: 1 })
    const entity = { workflow_id: w, entity_id: '#e', entity_type: 'File', metadata: '{}' }
    const { body: crate } = await t.post('/ro_crate_entities', entity)
    expect((await t.del(`/workflows/${w}`)).status).toBe(200)
    for (const path of [`/tasks/${task.id}`, `/ro_crate_entities/${crate.id}`, `/jobs/${job}`])
      expect((await t.get(path)).status, path).toBe(404)
  })

  it('D12 a dependant is ready in the reply to the completion', async () => {
    const first = await seedJob(t, w)
    const next = await seedJob(t, w, { depends_on_job_ids: [first] })
    await initialize()
    await complete([entryOf(first, await seedNode(t, w))])
    expect(await statusOf(next)).toBe('ready')
  })

  it('D13 a claim shows the outputs of the claimed jobs, and of these only', async () => {
    const [mine, other] = [await seedFile(t, w, 'mine'), await seedFile(t, w, 'other')]
    await seedJob(t, w, { priority: 1, output_file_ids: [mine] })
    await seedJob(t, w, { output_file_ids: [other] })
    await initialize()
    const { body } = await t.post(`/workflows/${w}/claim_jobs_based_on_resources/1`, OFFER)
    expect(body.jobs[0].output_file_ids).toEqual([mine])
  })

  it('D14 jobs beyond the first candidates are packed where those do not fit', async () => {
    const { body: wide } = await t.post('/resource_requirements', { workflow_id: w, name: 'wide', num_cpus: 3 })
    for (const _ of [1, 2, 3]) await seedJob(t, w, { priority: 1, resource_requirements_id: wide.id })
    const small = await seedJob(t, w)
    await initialize()
    expect(await claim(w, 2)).toEqual([expect.any(Number), small])
  })

  it('D16 all fields of a workflow can be changed; an omitted flag of its status becomes false', async () => {
    const config = { enabled: true }
    const change = {
      compute_node_min_time_for_new_jobs_seconds: 7,
      resource_monitor_config: config,
      slurm_defaults: { partition: 'p' },
    }
    expect((await t.put(`/workflows/${w}`, { name: 'w', user: 'u', ...change })).body).toMatchObject(change)
    await t.put(`/workflows/${w}/status`, { run_id: 0, is_canceled: false, is_archived: true })
    const { body } = await t.put(`/workflows/${w}/status`, { run_id: 0, is_canceled: false })
    expect(body.is_archived).toBe(false)
  })

  it('D17 replies fit their schemas and the names that older clients read', async () => {
    const { body: handler } = await t.post('/failure_handlers', { workflow_id: w, name: 'h', rules: '[]' })
    expect((await t.del(`/failure_handlers/${handler.id}`)).body).toMatchObject({
      ...handler,
      message: expect.any(String),
    })
    await seedFile(t, w, 'f')
    expect((await t.del(`/files?workflow_id=${w}`)).body).toEqual({ count: 1, deleted_count: 1 })
    const fields = {
      trigger_type: 'on_workflow_start',
      action_type: 'run_commands',
      action_config: { commands: ['x'] },
    }
    const { body: action } = await t.post(`/workflows/${w}/actions`, { workflow_id: w, ...fields })
    const claimed = await t.post(`/workflows/${w}/actions/${action.id}/claim`, {})
    expect(claimed.body).toEqual({ action_id: action.id, success: true, claimed: true })
  })

  it('D18 the two kinds of initialise have each their own event', async () => {
    const stream = await t.app.request(`/v1/workflows/${w}/events/stream`, { headers: { 'last-event-id': '0' } })
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    await initialize()
    await initialize('?only_uninitialized=true')
    let text = ''
    while (!text.includes('workflow_reinitialized')) text += (await reader.read()).value ?? ''
    await reader.cancel()
    expect(text.indexOf('event: workflow_started')).toBeGreaterThanOrEqual(0)
    expect(text.indexOf('event: workflow_started')).toBeLessThan(text.indexOf('event: workflow_reinitialized'))
  })

  it('D19 filters and sort names that used to be ignored have their effect', async () => {
    await t.post('/events', { workflow_id: w, timestamp: 1, data: { category: 'a' } })
    await t.post('/events', { workflow_id: w, timestamp: 1, data: { category: 'b' } })
    expect((await t.get(`/events?workflow_id=${w}&category=b`)).body.total_count).toBe(1)
    await t.post('/local_schedulers', { workflow_id: w, memory: '1g', num_cpus: 1 })
    await t.post('/local_schedulers', { workflow_id: w, memory: '2g', num_cpus: 2 })
    expect((await t.get(`/local_schedulers?workflow_id=${w}&num_cpus=2&memory=2g`)).body.total_count).toBe(1)
    const first = await seedJob(t, w)
    const second = await seedJob(t, w, { depends_on_job_ids: [first] })
    await seedJob(t, w, { depends_on_job_ids: [second] })
    const by = async (query: string) =>
      (await t.get(`/workflows/${w}/job_dependencies?${query}`)).body.items.map(
        (row: { depends_on_job_id: number }) => row.depends_on_job_id,
      )
    expect(await by('sort_by=depends_on_job_id&reverse_sort=true')).toEqual([second, first])
  })

  it('D20 a large batch of completions is taken', async () => {
    const job = await seedJob(t, w)
    const entry = entryOf(job, await seedNode(t, w))
    const padded = Array.from({ length: 4 }, () => ({ ...entry, padding: 'x'.repeat(2 ** 20) }))
    expect((await complete(padded)).body.completed).toEqual([job])
  })

  it('D21 a page over the limit is refused by all lists but the four that always clamped', async () => {
    const many = 'limit=100001'
    for (const path of ['/jobs', '/files', '/results', '/events', '/compute_nodes'])
      expect((await t.get(`${path}?workflow_id=${w}&${many}`)).status, path).toBe(422)
    for (const list of ['job_dependencies', 'job_file_relationships', 'job_user_data_relationships'])
      expect((await t.get(`/workflows/${w}/${list}?${many}`)).body.max_limit, list).toBe(100_000)
    expect((await t.get(`/slurm_stats?workflow_id=${w}&${many}`)).body.max_limit).toBe(100_000)
  })

  it('D22 the failed attempt of a retried job is kept when its runner reports it', async () => {
    const job = await seedJob(t, w)
    const node = await seedNode(t, w)
    await initialize()
    await complete([entryOf(job, node, { status: 'failed', return_code: 3 })])
    await t.post(`/jobs/${job}/retry/0?max_retries=3`)
    const { body } = await t.get(`/results?workflow_id=${w}&all_runs=true`)
    expect(body.items).toEqual([expect.objectContaining({ attempt_id: 1, return_code: 3 })])
  })

  it('D23 ids of other workflows, loops and jobs that wait for themselves are refused', async () => {
    const other = await seedWorkflow(t)
    const foreign = await seedJob(t, other)
    const refused = await t.post('/jobs', { workflow_id: w, name: 'j', command: 'c', depends_on_job_ids: [foreign] })
    expect(refused).toMatchObject({ status: 422, body: { error: { field: 'depends_on_job_ids', value: foreign } } })
    const file = await seedFile(t, w, 'f')
    const own = await seedJob(t, w, { input_file_ids: [file], output_file_ids: [file] })
    const back = await seedFile(t, w, 'back')
    await seedJob(t, w, { name: 'a', input_file_ids: [back], output_file_ids: [await seedFile(t, w, 'there')] })
    expect((await initialize()).status).toBe(200)
    expect(await statusOf(own)).toBe('ready')
  })

  it('D24 what follows a duration is no part of it', async () => {
    const bad = await t.post('/resource_requirements', { workflow_id: w, name: 'r', runtime: 'PT1Hxyz' })
    expect(bad).toMatchObject({ status: 422, body: { error: { field: 'runtime', value: 'PT1Hxyz' } } })
  })

  it('D25 the status record takes any run, and completions of another run than that are stale', async () => {
    const job = await seedJob(t, w)
    const node = await seedNode(t, w)
    await t.put(`/workflows/${w}/status`, { run_id: 5, is_canceled: false })
    await t.put(`/workflows/${w}/status`, { run_id: 3, is_canceled: false })
    expect((await complete([entryOf(job, node, { run_id: 5 })])).body.errors).toHaveLength(1)
    expect((await complete([entryOf(job, node, { run_id: 3 })])).body.completed).toEqual([job])
  })

  it('D26 kept: jobs of another scheduler are handed out when there is nothing else, unless the match is strict', async () => {
    const bound = await seedJob(t, w, { scheduler_id: 5 })
    await initialize()
    const strict = `/workflows/${w}/claim_jobs_based_on_resources/1?strict_scheduler_match=true`
    expect((await t.post(strict, OFFER)).body.jobs).toEqual([])
    expect(await claim()).toEqual([bound])
  })

  it('D27 kept: a job that never ran may be completed', async () => {
    const node = await seedNode(t, w)
    const jobs = [await seedJob(t, w), await seedJob(t, w), await seedJob(t, w)]
    await setStatus(t, jobs[1]!, 'ready')
    await setStatus(t, jobs[2]!, 'pending_failed')
    expect((await complete(jobs.map(job => entryOf(job, node)))).body.completed).toEqual(jobs)
  })

  it('D28 kept: is_output=false is no filter, and user data is found by a part of its name', async () => {
    await seedFile(t, w, 'f')
    expect((await t.get(`/files?workflow_id=${w}&is_output=false`)).body.total_count).toBe(1)
    expect((await t.get(`/files?workflow_id=${w}&is_output=true`)).body.total_count).toBe(0)
    await t.post('/user_data', { workflow_id: w, name: 'The Name_1' })
    expect((await t.get(`/user_data?workflow_id=${w}&name=name_`)).body.total_count).toBe(1)
    expect((await t.get(`/user_data?workflow_id=${w}&name=nameX`)).body.total_count).toBe(0)
  })

  it('D29 kept: a file that is written without st_mtime loses it', async () => {
    const file = await seedFile(t, w, 'f', { st_mtime: 5 })
    expect((await t.put(`/files/${file}`, { workflow_id: w, name: 'f', path: '/p' })).body).not.toHaveProperty(
      'st_mtime',
    )
  })

  it('D30 kept: a workflow without jobs is complete and uninitialized', async () => {
    expect((await t.get(`/workflows/${w}/is_complete`)).body.is_complete).toBe(true)
    expect((await t.get(`/workflows/${w}/is_uninitialized`)).body.is_uninitialized).toBe(true)
  })

  it('D32 negative limits, offsets and GPUs are refused', async () => {
    expect((await t.get(`/jobs?workflow_id=${w}&limit=-1`)).status).toBe(422)
    expect((await t.get(`/jobs?workflow_id=${w}&offset=-1`)).status).toBe(422)
    const negative = { workflow_id: w, name: 'r', num_gpus: -1 }
    expect((await t.post('/resource_requirements', negative)).status).toBe(422)
  })
})

describe('defects of Torc 1.0', () => {
  it('E1 SQL from outside is closed', async () => {
    const reply = await t.post('/admin/sql', { sql: 'SELECT 1' })
    expect(reply).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining('disabled') } } })
    expect((await t.post('/admin/sql', { sql: 'DELETE FROM job', write: true })).status).toBe(403)
  })

  it('E2 a claim beside reset_status is either seen by it, or belongs to the new run', async () => {
    await seedJob(t, w)
    await initialize()
    const [reset, claimed] = await Promise.all([t.post(`/workflows/${w}/reset_status`), claim()])
    expect(claimed).toHaveLength(1)
    expect([200, 422]).toContain(reset.status)
    expect((await t.get(`/workflows/${w}`)).body.run_id).toBe(reset.status === 200 ? 1 : 0)
  })

  it('E3 a canceled job is bound to no node', async () => {
    const job = await seedJob(t, w)
    const node = await seedNode(t, w)
    await initialize()
    await claim()
    await t.put(`/jobs/${job}/start_job/0/${node}`)
    await t.put(`/workflows/${w}/cancel`)
    const { body } = await t.get(`/jobs/${job}`)
    expect(body.status).toBe('canceled')
    for (const field of ['compute_node_id', 'start_time']) expect(body).not.toHaveProperty(field)
    expect((await t.get(`/jobs?workflow_id=${w}&active_compute_node_id=${node}`)).body.total_count).toBe(0)
  })

  it('E4 a node with a time limit ends, though it names no end', async () => {
    const { body: long } = await t.post('/resource_requirements', { workflow_id: w, name: 'long', runtime: 'PT10H' })
    await seedJob(t, w, { resource_requirements_id: long.id })
    await initialize()
    await seedNode(t, w, { start_time: '2026-01-01T00:00:00Z', time_limit: 'PT1H' })
    expect((await t.get(`/workflows/${w}/status`)).body).toMatchObject({
      max_allocation_remaining_seconds: 3600,
      runtime_blocked_ready_jobs: 1,
    })
  })

  const running = async (fields: object = {}): Promise<number> => {
    const job = await seedJob(t, w, { name: 'caller', ...fields })
    const node = await seedNode(t, w)
    await initialize()
    await claim()
    await t.put(`/jobs/${job}/start_job/0/${node}`)
    return job
  }

  it('E5 a repeated spawn gives the same jobs though the caller has ended', async () => {
    const caller = await running()
    const body = { jobs: [{ name: 'more', command: 'true' }] }
    const { body: first } = await t.post(`/jobs/${caller}/spawn_jobs`, body)
    await complete([entryOf(caller, (await t.get(`/jobs/${caller}`)).body.compute_node_id)])
    expect((await t.post(`/jobs/${caller}/spawn_jobs`, body)).body).toEqual(first)
  })

  it('E6 jobs that merely have the names are no repeat of a spawn', async () => {
    await seedJob(t, w, { name: 'more' })
    const caller = await running()
    const body = { jobs: [{ name: 'more', command: 'true' }] }
    expect((await t.post(`/jobs/${caller}/spawn_jobs`, body)).status).toBe(422)
  })

  it('E7 a text that is no JSON is kept, and left out for those who read objects', async () => {
    const { body } = await t.post('/workflows', { name: 'w', user: 'u', metadata: 'no JSON' })
    expect(body.metadata).toBe('no JSON')
    const read = async (headers: Record<string, string>) =>
      (await t.get(`/workflows/${body.id}`, headers)).body.metadata
    expect(await read({ 'x-torc-client-user': 'u' })).toBeUndefined()
    expect(await read({ 'user-agent': 'OpenAPI-Generator/v0.7.0/rust' })).toBe('no JSON')
  })

  it('E8 two changes of an action at once are both kept', async () => {
    const fields = {
      trigger_type: 'on_workflow_start',
      action_type: 'schedule_nodes',
      action_config: { scheduler_id: 1 },
    }
    const { body: action } = await t.post(`/workflows/${w}/actions`, { workflow_id: w, ...fields })
    const path = `/workflows/${w}/actions/${action.id}`
    await Promise.all([t.put(path, { num_allocations: 3 }), t.put(path, { max_parallel_jobs: 4 })])
    const [row] = (await t.get(`/workflows/${w}/actions`)).body
    expect(row.action_config).toEqual({ scheduler_id: 1, num_allocations: 3, max_parallel_jobs: 4 })
  })

  it('E9 jobs of one name in a batch get each their own id, in order', async () => {
    const jobs = ['one', 'two'].map(command => ({ workflow_id: w, name: 'same', command }))
    const { body } = await t.post('/bulk_jobs', { jobs })
    expect(body.jobs.map((job: { command: string }) => job.command)).toEqual(['one', 'two'])
    expect(new Set(body.jobs.map((job: { id: number }) => job.id)).size).toBe(2)
  })

  it('E12 the status tells how many ready jobs nobody serves', async () => {
    await seedJob(t, w)
    await seedJob(t, w, { labels: ['gpu', 'big'] })
    await initialize()
    await seedNode(t, w, { labels: ['gpu'] })
    expect((await t.get(`/workflows/${w}/status`)).body.unserved_ready_labels).toEqual({ 'big,gpu': 1 })
    expect((await t.get(`/workflows/${w}/summary`)).body.unserved_unlabeled_jobs).toBe(1)
  })
})
