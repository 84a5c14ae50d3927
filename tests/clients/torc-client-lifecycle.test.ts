import { afterAll, beforeAll, describe, expect } from 'vitest'
import { resultOf } from '../helpers/seed.ts'
import { type Served, serveToClients } from './served.ts'
import { itWithClients as it, type TorcClient, VERSIONS } from './torc-client.ts'

let served: Served
beforeAll(async () => {
  served = await serveToClients()
})
afterAll(() => served?.close())

const METADATA = { stage: 1, tags: ['a', 'b'] }

/** A field that the older client sends and reads as text, the newer one as an object. */
const formOf = (client: TorcClient, value: object) => (client.version === '0.27.0' ? JSON.stringify(value) : value)

type Made = {
  workflow: number
  run: number
  node: number
  producer: number
  consumers: number[]
  outputs: { file: number; data: number }
  handler: number
}

/** One job that makes a file and some data, and two that wait for it, one with requirements, handler and scheduler. */
async function create(client: TorcClient): Promise<Made> {
  const made = await client.call('create_workflow', {
    workflow_model: {
      name: `made by ${client.version}`,
      user: 'u',
      description: 'driven by a published client',
      env: { SHARED: 'yes' },
      project: 'p',
      metadata: formOf(client, METADATA),
      execution_config: formOf(client, { mode: 'direct' }),
    },
  })
  const own = { workflow_id: made.id }
  const { id: file } = await client.call('create_file', { file_model: { ...own, name: 'f', path: '/data/f' } })
  const { id: data } = await client.call('create_user_data', { user_data_model: { ...own, name: 'd' } })
  const { id: input } = await client.call('create_user_data', {
    user_data_model: { ...own, name: 'input', data: { x: [1, 2.5] } },
  })
  const { id: requirements } = await client.call('create_resource_requirements', {
    resource_requirements_model: { ...own, name: 'large', num_cpus: 2, memory: '2g', runtime: 'PT1H' },
  })
  const { id: handler } = await client.call('create_failure_handler', {
    failure_handler_model: { ...own, name: 'again', rules: '[{"exit_codes":[1],"max_retries":2}]' },
  })
  const { id: scheduler } = await client.call('create_slurm_scheduler', {
    slurm_scheduler_model: { ...own, name: 's', account: 'a', nodes: 1, walltime: '01:00:00' },
  })
  await client.call('create_local_scheduler', { local_scheduler_model: { ...own, memory: '4g', num_cpus: 2 } })
  const { id: allocation } = await client.call('create_scheduled_compute_node', {
    scheduled_compute_nodes_model: {
      ...own,
      scheduler_id: 4711,
      scheduler_config_id: scheduler,
      scheduler_type: 'slurm',
      status: 'active',
    },
  })
  const producer = await client.call('create_job', {
    job_model: {
      ...own,
      name: 'producer',
      command: 'make',
      env: { OWN: '1' },
      input_user_data_ids: [input],
      output_file_ids: [file],
      output_user_data_ids: [data],
    },
  })
  const consumers = await client.call('helper_create_jobs', {
    jobs: [
      { ...own, name: 'by_file', command: 'use', input_file_ids: [file], resource_requirements_id: requirements },
      { ...own, name: 'by_id', command: 'use', depends_on_job_ids: [producer.id], failure_handler_id: handler },
    ],
  })
  await client.call('create_workflow_action', {
    id: made.id,
    workflow_action_model: {
      ...own,
      trigger_type: 'on_jobs_complete',
      action_type: 'run_commands',
      action_config: { commands: ['echo done'] },
      job_ids: [producer.id],
    },
  })
  const node = await client.call('create_compute_node', {
    compute_node_model: {
      ...own,
      hostname: 'n1',
      pid: 1,
      start_time: '2026-01-01T00:00:00Z',
      num_cpus: 4,
      memory_gb: 8.5,
      num_gpus: 0,
      num_nodes: 1,
      compute_node_type: 'slurm',
      scheduler: { scheduler_id: allocation },
    },
  })
  return {
    workflow: made.id,
    run: made.run_id,
    node: node.id,
    producer: producer.id,
    consumers: consumers.map((job: { id: number }) => job.id),
    outputs: { file, data },
    handler,
  }
}

const CAPACITY = { num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1 }

const pairs = VERSIONS.flatMap(maker => VERSIONS.map(worker => ({ maker, worker })))

describe.each(pairs)('a workflow that torc-client $maker makes and $worker works off', ({ maker, worker }) => {
  it('goes from creation to its end through both', async () => {
    const from = served.clients[maker]
    const by = served.clients[worker]
    const made = await create(from)
    const { workflow: id, node, producer, outputs } = made
    const [byFile, byId] = made.consumers as [number, number]

    const seen = await by.call('get_workflow', { id })
    expect(seen).toMatchObject({ id, name: `made by ${maker}`, metadata: formOf(by, METADATA), env: { SHARED: 'yes' } })
    const listed = await by.call('list_workflows', { name: `made by ${maker}`, sort_by: 'id', reverse_sort: true })
    expect(listed.items[0]).toMatchObject({ id, metadata: formOf(by, METADATA) })
    expect((await by.call('is_workflow_uninitialized', { id })).is_uninitialized).toBe(true)
    expect((await by.call('list_missing_user_data', { id })).user_data).toEqual([])
    expect((await by.call('list_required_existing_files', { id })).files).toEqual([])

    // A client reads, changes one field, and writes everything back.
    const job = await by.call('get_job', { id: producer })
    expect(job).toMatchObject({ env: { SHARED: 'yes', OWN: '1' }, output_file_ids: [outputs.file] })
    expect((await by.call('update_job', { id: producer, job_model: { ...job, priority: 7 } })).priority).toBe(7)
    const workflow = await by.call('update_workflow', { id, workflow_model: { ...seen, description: 'changed' } })
    expect(workflow).toMatchObject({ description: 'changed', metadata: formOf(by, METADATA) })
    expect((await by.refused('update_job', { id: producer, job_model: { ...job, status: 'ready' } })).status).toBe(422)

    expect((await by.refused('reset_workflow_status', { id })).body).toContain('scheduled')
    await by.call('reset_workflow_status', { id, force: true })
    const run = (await by.call('get_workflow', { id })).run_id
    expect(run).toBe(made.run + 1)
    const task = await by.call('initialize_jobs', { id, only_uninitialized: false, var_async: true })
    expect((await from.call('get_task', { id: task.id })).status).toBe('succeeded')
    expect((await by.call('list_job_dependencies', { id })).total_count).toBe(2)

    const claimed = await by.call('claim_jobs_based_on_resources', {
      id,
      limit: 4,
      compute_nodes_resources: CAPACITY,
    })
    expect(claimed.jobs.map((found: { id: number }) => found.id)).toEqual([producer])
    expect((await by.call('start_job', { id: producer, run_id: run, compute_node_id: node })).status).toBe('running')
    const stored = await by.call('get_user_data', { id: outputs.data })
    await by.call('update_user_data', { id: outputs.data, user_data_model: { ...stored, data: { answer: 42 } } })
    const file = await by.call('get_file', { id: outputs.file })
    await by.call('update_file', { id: outputs.file, file_model: { ...file, st_mtime: 1_700_000_000.25 } })
    const ended = await by.call('complete_job', {
      id: producer,
      status: 'completed',
      run_id: run,
      result_model: resultOf(id, producer, node, { run_id: run, attempt_id: 1 }),
    })
    expect(ended.status).toBe('completed')

    const pending = await from.call('get_pending_actions', { id, trigger_type: ['on_jobs_complete'] })
    expect(pending).toHaveLength(1)
    const claim = { id, action_id: pending[0].id, claim_action_request: { compute_node_id: node } }
    expect(await by.call('claim_action', claim)).toMatchObject({ success: true })
    expect((await from.refused('claim_action', claim)).status).toBe(409)

    const next = await from.call('claim_next_jobs', { id, limit: 5 })
    expect(next.jobs.map((found: { id: number }) => found.id)).toEqual([byFile, byId])
    for (const job of [byFile, byId]) await from.call('start_job', { id: job, run_id: run, compute_node_id: node })
    expect(await by.call('retry_job', { id: byId, run_id: run, max_retries: 2 })).toMatchObject({ attempt_id: 2 })
    await by.call('claim_next_jobs', { id, limit: 5 })
    const entryOf = (job: number, fields: object) => {
      const result = resultOf(id, job, node, { run_id: run, attempt_id: 1, ...fields })
      return { job_id: job, status: result.status, run_id: run, result }
    }
    const batch = {
      completions: [
        entryOf(byFile, {}),
        entryOf(byId, { attempt_id: 2, status: 'failed', return_code: 9 }),
        entryOf(999_999, {}),
      ],
    }
    const reply = await by.call('batch_complete_jobs', { id, batch_complete_jobs_request: batch })
    expect(reply.completed).toEqual([byFile, byId])
    expect(reply.errors.map((error: { job_id: number }) => error.job_id)).toEqual([999_999])

    for (const client of [from, by]) {
      expect(await client.call('is_workflow_complete', { id })).toMatchObject({ is_complete: true, is_canceled: false })
      const results = await client.call('list_results', { workflow_id: id, sort_by: 'id' })
      expect(results.items.map((result: { status: string }) => result.status)).toEqual([
        'completed',
        'completed',
        'failed',
      ])
    }
    const closing = await by.call('get_compute_node', { id: node })
    const closed = { ...closing, is_active: false, duration_seconds: 12.5 }
    expect((await by.call('update_compute_node', { id: node, compute_node_model: closed })).is_active).toBe(false)
    expect((await from.call('list_compute_nodes', { workflow_id: id, is_active: true })).total_count).toBe(0)
  })

  it('is run again after a reset, with the run number raised once', async () => {
    const from = served.clients[maker]
    const by = served.clients[worker]
    const { workflow: id, run } = await create(from)
    await from.call('initialize_jobs', { id })
    await by.call('reset_workflow_status', { id, force: true })
    expect(await by.call('reset_job_status', { id })).toMatchObject({ updated_count: 3 })
    await by.call('initialize_jobs', { id, only_uninitialized: true })
    expect((await from.call('get_workflow', { id })).run_id).toBe(run + 1)
    expect((await by.call('process_changed_job_inputs', { id, dry_run: true })).reinitialized_jobs).toEqual([])
    await by.call('cancel_workflow', { id })
    expect((await from.call('is_workflow_complete', { id })).is_canceled).toBe(true)
    await from.call('archive_workflow', { id, archive_workflow_request: { is_archived: true } })
    expect((await by.refused('reset_workflow_status', { id, force: true })).body).toContain('Cannot reset archived')
    await by.call('delete_workflow', { id })
    expect((await from.refused('get_workflow', { id })).status).toBe(404)
  })
})
