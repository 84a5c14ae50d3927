import { afterAll, beforeAll, expect, it } from 'vitest'
import { JOB_STATUSES } from '../../api/core/status.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

/** Every list sorts by the names of contract/notes.md 2.2 and 19: rows are made so that no column runs the way of the ids. */

let t: TestApp
let w: number
/** Values in an order that is neither up nor down. */
const MIXED = [2, 3, 1]

beforeAll(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
  for (const n of MIXED) {
    await t.post('/workflows', {
      name: `n${n}`,
      user: 'sorted',
      description: `d${n}`,
      env: { A: `${n}` },
      project: `p${n}`,
      metadata: `m${n}`,
      resource_monitor_config: `r${n}`,
      slurm_defaults: `s${n}`,
      use_pending_failed: n > 1,
      enable_ro_crate: n > 2,
      submission_directory: `/d${n}`,
      compute_node_expiration_buffer_seconds: n,
      compute_node_wait_for_new_jobs_seconds: n,
      compute_node_ignore_workflow_completion: n > 1,
      compute_node_wait_for_healthy_database_minutes: n,
      compute_node_min_time_for_new_jobs_seconds: n,
    })
    t.clock.now += 1000
    const requirements = await t.post('/resource_requirements', {
      workflow_id: w,
      name: `r${n}`,
      num_cpus: n,
      num_gpus: n,
      num_nodes: n,
      // As texts these would sort the other way.
      memory: n === 3 ? '1g' : `${n * 100}m`,
      runtime: n === 3 ? 'PT1H' : `PT${n * 10}M`,
    })
    const handler = await t.post('/failure_handlers', { workflow_id: w, name: `h${n}`, rules: '[]' })
    const file = await seedFile(t, w, `f${n}`, { st_mtime: n })
    const data = await t.post('/user_data', { workflow_id: w, name: `u${n}`, data: n, is_ephemeral: n > 1 })
    const job = await seedJob(t, w, {
      name: `j${n}`,
      command: `c${n}`,
      env: { A: `${n}` },
      cancel_on_blocking_job_failure: n > 1,
      supports_termination: n > 2,
      resource_requirements_id: requirements.body.id,
      invocation_script: `i${n}`,
      scheduler_id: n,
      failure_handler_id: handler.body.id,
      priority: n,
      output_file_ids: [file],
      output_user_data_ids: [data.body.id],
    })
    const consumer = await seedJob(t, w, {
      name: `k${n}`,
      depends_on_job_ids: [job],
      input_file_ids: [file],
      input_user_data_ids: [data.body.id],
    })
    await setStatus(t, job, JOB_STATUSES[n]!)
    await setStatus(t, consumer, 'completed')
    const node = await seedNode(t, w, {
      hostname: `host${n}`,
      pid: n,
      start_time: `2026-01-0${n}T00:00:00Z`,
      num_cpus: n,
      memory_gb: n,
      num_gpus: n,
      num_nodes: n,
      compute_node_type: `t${n}`,
      is_active: n > 1,
      duration_seconds: n,
      time_limit: `PT${n}H`,
      end_time: `2026-02-0${n}T00:00:00Z`,
      scheduler_config_id: n,
    })
    await t.post('/results', {
      ...resultOf(w, job, node),
      run_id: n,
      attempt_id: n,
      return_code: n,
      exec_time_minutes: n,
      completion_time: `2026-01-0${n}T00:00:00Z`,
      status: n > 1 ? 'failed' : 'completed',
      peak_memory_bytes: n,
      avg_memory_bytes: n,
      peak_cpu_percent: n,
      avg_cpu_percent: n,
    })
    await t.post('/scheduled_compute_nodes', {
      workflow_id: w,
      scheduler_id: n,
      scheduler_config_id: n,
      scheduler_type: `t${n}`,
      status: `s${n}`,
    })
    await t.post('/slurm_schedulers', {
      workflow_id: w,
      name: `s${n}`,
      account: `a${n}`,
      gres: `g${n}`,
      mem: `m${n}`,
      nodes: n,
      ntasks_per_node: n,
      partition: `p${n}`,
      qos: `q${n}`,
      tmp: `t${n}`,
      walltime: `w${n}`,
      extra: `e${n}`,
      serialize_allocations: n > 1,
    })
    await t.post('/local_schedulers', { workflow_id: w, memory: `${n}g`, num_cpus: n })
    await t.post('/events', { workflow_id: w, timestamp: 1, data: n })
    await t.post('/ro_crate_entities', {
      workflow_id: w,
      file_id: file,
      entity_id: `e${n}`,
      entity_type: `t${n}`,
      metadata: `m${n}`,
    })
  }
})
afterAll(() => t.close())

const own = () => `workflow_id=${w}`

const LISTS: [list: string, path: () => string, names: string][] = [
  [
    'workflows',
    () => '/workflows?user=sorted',
    `id name user description env timestamp project metadata status_id compute_node_expiration_buffer_seconds
     compute_node_wait_for_new_jobs_seconds compute_node_ignore_workflow_completion compute_node_wait_for_healthy_database_minutes
     compute_node_min_time_for_new_jobs_seconds resource_monitor_config slurm_defaults use_pending_failed enable_ro_crate run_id
     is_archived is_canceled submission_directory`,
  ],
  [
    'jobs',
    () => `/jobs?${own()}&name=j`,
    `id workflow_id name command env cancel_on_blocking_job_failure supports_termination resource_requirements_id invocation_script
     scheduler_id failure_handler_id attempt_id priority`,
  ],
  [
    'results',
    () => `/results?${own()}`,
    `id job_id workflow_id run_id attempt_id compute_node_id return_code exec_time_minutes completion_time peak_memory_bytes
     avg_memory_bytes peak_cpu_percent avg_cpu_percent status`,
  ],
  [
    'compute_nodes',
    () => `/compute_nodes?${own()}`,
    `id workflow_id hostname pid start_time is_active num_cpus memory_gb num_gpus num_nodes duration_seconds time_limit end_time
     scheduler_config_id compute_node_type`,
  ],
  [
    'scheduled_compute_nodes',
    () => `/scheduled_compute_nodes?${own()}`,
    'id workflow_id scheduler_id scheduler_config_id scheduler_type status',
  ],
  [
    'slurm_schedulers',
    () => `/slurm_schedulers?${own()}`,
    `id workflow_id name account gres mem nodes ntasks_per_node partition qos tmp walltime extra serialize_allocations`,
  ],
  [
    'ro_crate_entities',
    () => `/workflows/${w}/ro_crate_entities?`,
    'id workflow_id file_id entity_id entity_type metadata',
  ],
  ['files', () => `/files?${own()}`, 'id workflow_id name path st_mtime'],
  ['user_data', () => `/user_data?${own()}`, 'id workflow_id name is_ephemeral data'],
  ['resource_requirements', () => `/resource_requirements?${own()}`, 'id workflow_id name num_cpus num_gpus num_nodes'],
  ['events', () => `/events?${own()}`, 'id workflow_id timestamp data'],
  ['local_schedulers', () => `/local_schedulers?${own()}`, 'id workflow_id memory num_cpus'],
  [
    'job_dependencies',
    () => `/workflows/${w}/job_dependencies?`,
    'job_id depends_on_job_id workflow_id job_name depends_on_job_name',
  ],
  [
    'job_file_relationships',
    () => `/workflows/${w}/job_file_relationships?`,
    'file_id workflow_id file_name file_path producer_job_id consumer_job_id producer_job_name consumer_job_name',
  ],
  [
    'job_user_data_relationships',
    () => `/workflows/${w}/job_user_data_relationships?`,
    'user_data_id workflow_id user_data_name producer_job_id consumer_job_id producer_job_name consumer_job_name',
  ],
]

type Value = number | string
/** Rows as one value each; texts, numbers and flags of one column compare as themselves. */
const comparable = (value: unknown): Value => {
  if (typeof value === 'number' || typeof value === 'string') return value
  if (typeof value === 'boolean') return Number(value)
  return JSON.stringify(value) ?? ''
}
const upwards = (a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0)

const cases = LISTS.flatMap(([list, path, names]) => names.split(/\s+/).map(name => [list, name, path] as const))

it.each(cases)('GET %s sorts by %s, up and down', async (_, name, path) => {
  const column = async (query: string): Promise<Value[]> => {
    const { status, body } = await t.get(`${path()}&sort_by=${name}${query}`)
    expect(status).toBe(200)
    return body.items.map((item: Record<string, unknown>) => comparable(item[name]))
  }
  const up = await column('')
  expect(up.length).toBeGreaterThanOrEqual(3)
  expect(up).toEqual([...up].sort(upwards))
  expect(await column('&reverse_sort=true')).toEqual([...up].sort(upwards).reverse())
})

it('GET jobs sorts by status in the order of the words, not of the alphabet', async () => {
  const { items } = (await t.get(`/jobs?${own()}&name=j&sort_by=status`)).body
  expect(items.map((job: { status: string }) => job.status)).toEqual([1, 2, 3].map(n => JOB_STATUSES[n]))
})

it.each(['memory', 'runtime'])('GET resource_requirements sorts by what %s means', async name => {
  const { items } = (await t.get(`/resource_requirements?${own()}&sort_by=${name}`)).body
  expect(items.map((row: { name: string }) => row.name)).toEqual(['default', 'r1', 'r2', 'r3'])
})

it('lists sort by id where sort_by is unknown or empty, and break ties by id', async () => {
  for (const query of [
    'sort_by=',
    'sort_by=no_such_column',
    'sort_by=workflow_id',
    'sort_by=id); DROP TABLE job; --',
  ]) {
    const { items } = (await t.get(`/files?${own()}&${encodeURI(query)}`)).body
    const ids = items.map((file: { id: number }) => file.id)
    expect(ids, query).toEqual([...ids].sort((a, b) => a - b))
  }
})
