import { afterAll, beforeAll, describe, expect } from 'vitest'
import { resultOf } from '../helpers/seed.ts'
import { type Served, serveToClients } from './served.ts'
import { itWithClients as it, VERSIONS } from './torc-client.ts'

let served: Served
beforeAll(async () => {
  served = await serveToClients()
})
afterAll(() => served?.close())

describe.each(VERSIONS)('torc-client %s', version => {
  it('reads the reply of every operation it has into its own models', async () => {
    const client = served.clients[version]
    const isNew = version === '0.35.0'
    const called = new Set<string>()
    const call = (name: string, args: object = {}) => {
      called.add(name)
      return client.call(name, args)
    }
    const json = (value: object) => (isNew ? value : JSON.stringify(value))

    expect(await call('ping')).toEqual({ status: 'ok' })
    expect((await call('get_version')).api_version).toBe('0.23.0')
    const workflow = await call('create_workflow', {
      workflow_model: {
        name: 'all',
        user: 'u',
        enable_ro_crate: true,
        use_pending_failed: true,
        slurm_defaults: json({ partition: 'p' }),
        resource_monitor_config: json({ enabled: true, granularity: 'summary', sample_interval_seconds: 5 }),
      },
    })
    const id = workflow.id
    const own = { workflow_id: id }

    // Every noun with plain rows: made, listed, read, changed.
    const nouns: [one: string, many: string, model: string, fields: object, change: object][] = [
      ['file', 'files', 'file_model', { name: 'f', path: '/f', st_mtime: 1.5 }, { path: '/g' }],
      ['user_data', 'user_data', 'user_data_model', { name: 'd', data: [0] }, { data: false }],
      [
        'resource_requirements',
        'resource_requirements',
        'resource_requirements_model',
        { name: 'r', num_gpus: 1, memory: '3g', runtime: 'P1DT2H' },
        { num_cpus: 3 },
      ],
      [
        'slurm_scheduler',
        'slurm_schedulers',
        'slurm_scheduler_model',
        { name: 's', account: 'a', nodes: 2, walltime: '1:00:00', partition: 'p' },
        { nodes: 3 },
      ],
      [
        'local_scheduler',
        'local_schedulers',
        'local_scheduler_model',
        { name: 'l', memory: '1g', num_cpus: 1 },
        { num_cpus: 2 },
      ],
      [
        'scheduled_compute_node',
        'scheduled_compute_nodes',
        'scheduled_compute_nodes_model',
        { scheduler_id: 12, scheduler_config_id: 1, scheduler_type: 'slurm', status: 'pending' },
        { status: 'active' },
      ],
      [
        'compute_node',
        'compute_nodes',
        'compute_node_model',
        {
          hostname: 'n',
          pid: 1,
          start_time: '2026-01-01T00:00:00Z',
          num_cpus: 2,
          memory_gb: 4,
          num_gpus: 1,
          num_nodes: 1,
          compute_node_type: 'slurm',
        },
        { is_active: false, duration_seconds: 2, avg_cpu_percent: 12.5 },
      ],
    ]
    const rows: Record<string, { id: number }> = {}
    for (const [one, many, model, fields, change] of nouns) {
      const made = await call(`create_${one}`, { [model]: { ...own, ...fields } })
      rows[one] = made
      expect(await call(`get_${one}`, { id: made.id })).toEqual(made)
      expect((await call(`list_${many}`, own)).items).toContainEqual(made)
      const after = await call(`update_${one}`, { id: made.id, [model]: { ...made, ...change } })
      expect(after).toEqual({ ...made, ...change })
    }
    const node = rows.compute_node!.id
    if (isNew) {
      await call('create_files', { files_model: { files: [{ ...own, name: 'g', path: '/g' }] } })
      await call('create_user_data_list', { user_data_list_model: { user_data: [{ ...own, name: 'e', data: {} }] } })
    }
    const handler = await call('create_failure_handler', { failure_handler_model: { ...own, name: 'h', rules: '[]' } })
    await call('get_failure_handler', { id: handler.id })
    await call('list_failure_handlers', { id })

    const job = await call('create_job', {
      job_model: { ...own, name: 'a', command: 'true', output_file_ids: [rows.file!.id] },
    })
    const { jobs } = await call('create_jobs', {
      jobs_model: {
        jobs: ['b', 'c'].map(name => ({
          ...own,
          name,
          command: 'true',
          input_file_ids: [rows.file!.id],
          input_user_data_ids: [rows.user_data!.id],
        })),
      },
    })
    await call('get_job', { id: job.id })
    await call('update_job', { id: jobs[0].id, job_model: { ...jobs[0], supports_termination: true } })
    expect((await call('list_jobs', { ...own, include_relationships: true })).items).toHaveLength(3)
    const action = await call('create_workflow_action', {
      id,
      workflow_action_model: {
        ...own,
        trigger_type: 'on_workflow_start',
        action_type: 'run_commands',
        action_config: { commands: ['true'] },
      },
    })

    await call('initialize_jobs', { id })
    expect(await call('get_active_task_for_workflow', { id })).toEqual({})
    for (const name of [
      'list_job_dependencies',
      'list_job_file_relationships',
      'list_job_user_data_relationships',
      'list_job_ids',
      'list_missing_user_data',
      'list_required_existing_files',
      'get_ready_job_requirements',
      'get_workflow_actions',
      'get_pending_actions',
      'is_workflow_uninitialized',
      'is_workflow_complete',
    ]) {
      expect(await call(name, { id })).toBeDefined()
    }
    await call('claim_action', { id, action_id: action.id, claim_action_request: {} })
    const offer = { num_cpus: 2, memory_gb: 4, num_gpus: 0, num_nodes: 1, time_limit: 'PT2H' }
    const claimed = await call('claim_jobs_based_on_resources', { id, limit: 1, compute_nodes_resources: offer })
    expect(claimed.jobs).toHaveLength(1)
    await call('start_job', { id: job.id, run_id: 0, compute_node_id: node })
    if (isNew) {
      expect((await call('get_running_jobs', { id })).items).toHaveLength(1)
      await call('get_slurm_job_correlations', { id })
      expect((await call('get_workflow_status', { id })).jobs_by_status.running).toBe(1)
      const spawn = { jobs: [{ name: 'more', command: 'true' }], state: { step: 1 } }
      expect((await call('spawn_jobs', { id: job.id, spawn_jobs_request: spawn })).iteration).toBe(1)
    }
    await call('retry_job', { id: job.id, run_id: 0, max_retries: 3 })
    await call('claim_next_jobs', { id, limit: 1 })
    const result = resultOf(id, job.id, node, { attempt_id: 2, peak_memory_bytes: 2 ** 33, peak_cpu_percent: 99.5 })
    await call('complete_job', { id: job.id, status: 'completed', run_id: 0, result_model: result })
    const failed = resultOf(id, jobs[0].id, node, { attempt_id: 1, status: 'pending_failed', return_code: -9 })
    await call('batch_complete_jobs', {
      id,
      batch_complete_jobs_request: {
        completions: [{ job_id: jobs[0].id, status: 'pending_failed', run_id: 0, result: failed }],
      },
    })
    await call('manage_status_change', { id: jobs[0].id, status: 'uninitialized', run_id: 0 })

    const stored = await call('create_result', { result_model: resultOf(id, jobs[1].id, node, { run_id: 8 }) })
    await call('get_result', { id: stored.id })
    await call('update_result', { id: stored.id, result_model: { ...stored, return_code: 3 } })
    expect((await call('list_results', { ...own, all_runs: true })).items.length).toBeGreaterThan(1)
    const stats = { ...own, job_id: job.id, run_id: 0, attempt_id: 1, max_rss_bytes: 2 ** 34, ave_cpu_seconds: 1.5 }
    await call('create_slurm_stats', { slurm_stats_model: stats })
    await call('list_slurm_stats', own)
    const event = await call('create_event', { event_model: { ...own, timestamp: 1, data: { category: 'mine' } } })
    await call('get_event', { id: event.id })
    await call('update_event', { id: event.id, body: { category: 'mine', again: true } })
    expect((await call('list_events', { ...own, category: 'mine' })).items).toHaveLength(1)
    const entity = await call('create_ro_crate_entity', {
      ro_crate_entity_model: { ...own, entity_id: '#x', entity_type: 'File', metadata: json({ a: 1 }) },
    })
    await call('get_ro_crate_entity', { id: entity.id })
    await call('update_ro_crate_entity', {
      id: entity.id,
      ro_crate_entity_model: { ...entity, entity_type: 'Dataset' },
    })
    expect((await call('list_ro_crate_entities', { id })).items.length).toBeGreaterThan(0)
    await call('create_remote_workers', { id, request_body: ['user@host'] })
    expect(await call('list_remote_workers', { id })).toEqual([{ worker: 'user@host', workflow_id: id }])
    await call('delete_remote_worker', { id, worker: 'user@host' })

    await call('get_workflow', { id })
    await call('list_workflows')
    await call('update_workflow', { id, workflow_model: { ...workflow, project: 'q' } })
    await call('cancel_workflow', { id })
    await call('reset_workflow_status', { id, force: true })
    await call('reset_job_status', { id, failed_only: true })
    await call('process_changed_job_inputs', { id, dry_run: false })
    const task = await call('initialize_jobs', { id, var_async: true, only_uninitialized: true })
    await call('get_task', { id: task.id })
    await call('archive_workflow', { id, archive_workflow_request: { is_archived: false } })

    const group = await call('create_access_group', { access_group_model: { name: `group of ${version}` } })
    await call('get_access_group', { id: group.id })
    expect((await call('list_access_groups')).items).toContainEqual(group)
    const member = { group_id: group.id, user_name: 'bob', role: 'member' }
    await call('add_user_to_group', { id: group.id, user_group_membership_model: member })
    expect((await call('list_group_members', { id: group.id })).items).toMatchObject([member])
    expect((await call('list_user_groups', { user_name: 'bob' })).items).toContainEqual(group)
    await call('add_workflow_to_group', { id, group_id: group.id })
    expect((await call('list_workflow_groups', { id })).items).toEqual([group])
    const may = await call('check_workflow_access', { workflow_id: id, user_name: 'bob' })
    expect(may).toEqual({ has_access: true, user_name: 'bob', workflow_id: id })
    await call('remove_workflow_from_group', { id, group_id: group.id })
    await call('remove_user_from_group', { id: group.id, user_name: 'bob' })
    await call('delete_access_group', { id: group.id })
    called.add('reload_auth')
    expect(await client.refused('reload_auth')).toMatchObject({ status: 422 })

    await call('delete_result', { id: stored.id })
    await call('delete_results', own)
    await call('delete_job', { id: jobs[1].id })
    await call('delete_jobs', own)
    await call('delete_failure_handler', { id: handler.id })
    await call('delete_event', { id: event.id })
    await call('delete_events', own)
    await call('delete_ro_crate_entity', { id: entity.id })
    await call('delete_ro_crate_entities', { id })
    await call('delete_resource_requirement', { id: rows.resource_requirements!.id })
    for (const [one] of nouns.filter(([one]) => one !== 'resource_requirements'))
      await call(`delete_${one}`, { id: rows[one]!.id })
    await call('delete_all_user_data', own)
    for (const [, many] of nouns.filter(([, many]) => many !== 'user_data')) await call(`delete_${many}`, own)
    await call('delete_workflow', { id })

    const has: string[] = await client.call('helper_operations')
    expect(has.filter(name => !called.has(name))).toEqual([])
  })
})
