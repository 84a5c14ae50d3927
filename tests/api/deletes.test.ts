import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** What a delete answers, and what goes with the row (contract/notes.md 5). */

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const own = (fields: object) => ({ workflow_id: w, ...fields })

const NOUNS: [path: string, fields: object][] = [
  ['files', { name: 'f', path: '/f' }],
  ['user_data', { name: 'd', data: 1 }],
  ['resource_requirements', { name: 'r' }],
  ['slurm_schedulers', { name: 's', account: 'a', nodes: 1, walltime: '1:00' }],
  ['local_schedulers', { name: 'l' }],
  ['scheduled_compute_nodes', { scheduler_id: 1, scheduler_config_id: 1, scheduler_type: 'slurm', status: 'pending' }],
  ['failure_handlers', { name: 'h', rules: '[]' }],
  ['events', { timestamp: 1, data: {} }],
  ['ro_crate_entities', { entity_id: '#e', entity_type: 'File', metadata: {} }],
  ['jobs', { name: 'j', command: 'c' }],
]

it.each(NOUNS)(
  'DELETE /%s/{id} answers with the deleted object, and with 404 the second time',
  async (path, fields) => {
    const { body } = await t.post(`/${path}`, own(fields))
    const first = await t.del(`/${path}/${body.id}`)
    expect(first).toMatchObject({ status: 200, body })
    expect((await t.del(`/${path}/${body.id}`)).status).toBe(404)
  },
)

it('DELETE by id of a compute node, a result and a workflow answers with the deleted object', async () => {
  const job = await seedJob(t, w)
  const node = (await t.get(`/compute_nodes/${await seedNode(t, w)}`)).body
  const { body: result } = await t.post('/results', resultOf(w, job, node.id))
  expect((await t.del(`/results/${result.id}`)).body).toEqual(result)
  expect((await t.del(`/compute_nodes/${node.id}`)).body).toEqual(node)
  expect((await t.del(`/workflows/${w}`)).body).toMatchObject({ id: w, name: 'w' })
})

it.each([...NOUNS.map(([path]) => path), 'results', 'compute_nodes'].filter(path => path !== 'failure_handlers'))(
  'DELETE /%s of a workflow counts what it deletes, nothing too, and is 404 for a missing workflow',
  async path => {
    const bulk = path === 'ro_crate_entities' ? `/workflows/${w}/${path}` : `/${path}?workflow_id=${w}`
    const fields = NOUNS.find(([name]) => name === path)?.[1]
    if (fields !== undefined) await t.post(`/${path}`, own(fields))
    const counts = [await t.del(bulk), await t.del(bulk)].map(({ status, body }) => [status, body.count])
    expect(counts).toEqual([
      [200, fields === undefined ? 0 : 1],
      [200, 0],
    ])
    expect((await t.del(bulk.replace(/\b\d+\b/, '999'))).status).toBe(404)
  },
)

describe('what goes with a deleted', () => {
  it('job: its edges, links, results and statistics', async () => {
    const file = await seedFile(t, w, 'f')
    const first = await seedJob(t, w, { output_file_ids: [file] })
    const next = await seedJob(t, w, { depends_on_job_ids: [first], input_file_ids: [file] })
    const node = await seedNode(t, w)
    await t.post('/results', resultOf(w, first, node))
    await t.post('/slurm_stats', own({ job_id: first, run_id: 0, attempt_id: 1 }))
    await t.post(`/workflows/${w}/initialize_jobs`)
    expect((await t.get(`/jobs/${next}`)).body.status).toBe('blocked')
    await t.del(`/jobs/${first}`)
    expect((await t.get(`/jobs/${next}`)).body).toMatchObject({ status: 'ready', input_file_ids: [file] })
    expect((await t.get(`/jobs/${next}`)).body).not.toHaveProperty('depends_on_job_ids')
    for (const path of ['/results', '/slurm_stats'])
      expect((await t.get(`${path}?workflow_id=${w}&all_runs=true`)).body.total_count, path).toBe(0)
    expect((await t.get(`/workflows/${w}/job_dependencies`)).body.total_count).toBe(0)
  })

  it('file or item of user data: its links; the crate entity stays without the file', async () => {
    const file = await seedFile(t, w, 'f')
    const { body: data } = await t.post('/user_data', own({ name: 'd' }))
    const job = await seedJob(t, w, { input_file_ids: [file], output_user_data_ids: [data.id] })
    const entity = own({ entity_id: '#e', entity_type: 'File', metadata: {}, file_id: file })
    const { body: crate } = await t.post('/ro_crate_entities', entity)
    await t.del(`/files/${file}`)
    await t.del(`/user_data/${data.id}`)
    const { body } = await t.get(`/jobs/${job}`)
    for (const field of ['input_file_ids', 'output_user_data_ids']) expect(body).not.toHaveProperty(field)
    expect((await t.get(`/ro_crate_entities/${crate.id}`)).body).not.toHaveProperty('file_id')
  })

  it('compute node: nothing of its results, and its claim of an action becomes nobody', async () => {
    const node = await seedNode(t, w)
    const fields = {
      trigger_type: 'on_workflow_start',
      action_type: 'run_commands',
      action_config: { commands: ['x'] },
    }
    const { body: action } = await t.post(`/workflows/${w}/actions`, own(fields))
    await t.post(`/workflows/${w}/actions/${action.id}/claim`, { compute_node_id: node })
    await t.del(`/compute_nodes/${node}`)
    const [row] = (await t.get(`/workflows/${w}/actions`)).body
    expect(row).toMatchObject({ executed: true })
    expect(row).not.toHaveProperty('executed_by')
  })

  it('scheduler or scheduled compute node: nothing', async () => {
    const { body: scheduler } = await t.post('/slurm_schedulers', own({ account: 'a', nodes: 1, walltime: '1:00' }))
    const job = await seedJob(t, w, { scheduler_id: scheduler.id })
    await t.del(`/slurm_schedulers/${scheduler.id}`)
    expect((await t.get(`/jobs/${job}`)).body.scheduler_id).toBe(scheduler.id)
  })

  it('workflow: every row that names it, in any table, also while jobs run', async () => {
    const job = await seedJob(t, w, { output_file_ids: [await seedFile(t, w, 'f')] })
    const node = await seedNode(t, w)
    for (const [path, fields] of NOUNS) await t.post(`/${path}`, own(fields))
    await t.post('/results', resultOf(w, job, node))
    await t.post('/slurm_stats', own({ job_id: job, run_id: 0, attempt_id: 1 }))
    await t.post(`/workflows/${w}/remote_workers`, ['a'])
    await t.post(`/workflows/${w}/initialize_jobs?async=true`)
    await t.post(`/workflows/${w}/claim_next_jobs?limit=1`, { claim_id: crypto.randomUUID() })
    await t.put(`/jobs/${job}/start_job/0/${node}`)
    expect((await t.del(`/workflows/${w}`)).status).toBe(200)
    const left: string[] = []
    type Column = { name: string }
    for (const { name } of await t.db.read(() => all<Column>(`SELECT name FROM sqlite_master WHERE type = 'table'`))) {
      const columns = await t.db.read(() => all<Column>(`SELECT name FROM pragma_table_info('${name}')`))
      if (!columns.some(column => column.name === 'workflow_id')) continue
      const [row] = await t.db.read(() =>
        all<{ n: number }>(`SELECT count(*) AS n FROM ${name} WHERE workflow_id = ${w}`),
      )
      if (row!.n > 0) left.push(name)
    }
    expect(left).toEqual([])
    for (const name of ['job_text', 'job_file', 'job_edge', 'action_job'])
      expect(await t.db.read(() => all(`SELECT * FROM ${name}`)), name).toEqual([])
  })
})
