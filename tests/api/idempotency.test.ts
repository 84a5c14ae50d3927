import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tick } from '../../db/tick.ts'
import { all, one } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'
import { independent, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let workflow_id: number
beforeEach(async () => {
  t = await testApp()
  workflow_id = await seedWorkflow(t)
})
afterEach(() => t.close())

const KEY = { 'idempotency-key': 'key-1' }
const HOUR_MS = 3_600_000

const workflows = async () => (await t.get('/workflows?limit=1')).body.total_count

describe('Idempotency-Key', () => {
  it('gives the same reply to the same request, and creates once', async () => {
    const body = { name: 'once', user: 'u' }
    const first = await t.post('/workflows', body, KEY)
    const again = await t.post('/workflows', body, KEY)
    expect([first.status, again.status]).toEqual([200, 200])
    expect(again.body).toEqual(first.body)
    expect([first, again].map(reply => reply.headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect(again.headers.get('content-type')).toBe('application/json')
    expect(await workflows()).toBe(2)
  })

  it('creates once when the same request comes many times at once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => t.post('/jobs', { workflow_id, name: 'j', command: 'true' }, KEY)),
    )
    expect(new Set(replies.map(reply => JSON.stringify(reply.body))).size).toBe(1)
    expect((await t.get(`/jobs?workflow_id=${workflow_id}`)).body.total_count).toBe(1)
  })

  it.each([
    ['another body', '/workflows', { name: 'other', user: 'u' }],
    ['another path', '/files', { workflow_id: 1, name: 'f', path: '/f' }],
  ])('refuses %s with 422 and names the header', async (_, path, body) => {
    await t.post('/workflows', { name: 'once', user: 'u' }, KEY)
    const reply = await t.post(path, body, KEY)
    expect([reply.status, reply.body.error.code, reply.body.error.field]).toEqual([422, 'mismatch', 'Idempotency-Key'])
    expect(await workflows()).toBe(2)
  })

  it('keeps no reply of a request that failed', async () => {
    expect((await t.post('/jobs', { workflow_id: 99, name: 'j', command: 'true' }, KEY)).status).toBe(404)
    expect((await t.post('/jobs', { workflow_id, name: 'j', command: 'true' }, KEY)).status).toBe(200)
  })

  it('is remembered 24 hours, then forgotten by tick', async () => {
    const body = { workflow_id, name: 'f', path: '/f' }
    const first = await t.post('/files', body, KEY)
    t.clock.now += 23 * HOUR_MS
    expect((await t.post('/files', body, KEY)).body).toEqual(first.body)
    t.clock.now += 2 * HOUR_MS
    await tick(t.db, t.clock.now)
    expect(await t.db.read(() => one('SELECT 1 FROM idempotency'))).toBeUndefined()
    expect((await t.post('/files', body, KEY)).body.id).not.toBe(first.body.id)
  })

  it('of old requests is void also before tick comes', async () => {
    const body = { workflow_id, name: 'f', path: '/f' }
    await t.post('/files', body, KEY)
    t.clock.now += 25 * HOUR_MS
    await t.post('/files', body, KEY)
    expect((await t.get(`/files?workflow_id=${workflow_id}`)).body.total_count).toBe(2)
  })

  it('leaves requests without one alone', async () => {
    const body = { workflow_id, name: 'f', path: '/f' }
    await t.post('/files', body)
    await t.post('/files', body)
    expect((await t.get(`/files?workflow_id=${workflow_id}`)).body.total_count).toBe(2)
    expect(await t.db.read(() => all('SELECT 1 FROM idempotency'))).toEqual([])
  })

  it.each(['', 'with blank', 'x'.repeat(256)])('refuses %j as a key', async key => {
    const reply = await t.post('/workflows', { name: 'w', user: 'u' }, { 'idempotency-key': key })
    expect([reply.status, reply.body.error.field]).toEqual([400, 'Idempotency-Key'])
  })

  it('is a matter of each user', async () => {
    await t.close()
    t = await testApp({ access: { token: 'secret' } })
    const as = (user: string) => ({ ...KEY, authorization: `Basic ${btoa(`${user}:secret`)}` })
    const body = { name: 'w', user: 'u' }
    const first = await t.post('/workflows', body, as('ada'))
    const second = await t.post('/workflows', body, as('bob'))
    expect(second.body.id).not.toBe(first.body.id)
    expect((await t.post('/workflows', body, as('ada'))).body).toEqual(first.body)
  })
})

/** Every creating request, with a body that it takes. */
const CREATING: [path: string, body: (ids: { workflow_id: number; job_id: number; node_id: number }) => object][] = [
  ['/workflows', () => ({ name: 'w', user: 'u' })],
  ['/jobs', ({ workflow_id }) => ({ workflow_id, name: 'j', command: 'true' })],
  ['/bulk_jobs', ({ workflow_id }) => ({ jobs: [{ workflow_id, name: 'j', command: 'true' }] })],
  ['/files', ({ workflow_id }) => ({ workflow_id, name: 'f', path: '/f' })],
  ['/bulk_files', ({ workflow_id }) => ({ files: [{ workflow_id, name: 'f', path: '/f' }] })],
  ['/user_data', ({ workflow_id }) => ({ workflow_id, name: 'd', data: 1 })],
  ['/bulk_user_data', ({ workflow_id }) => ({ user_data: [{ workflow_id, name: 'd' }] })],
  ['/resource_requirements', ({ workflow_id }) => ({ workflow_id, name: 'r' })],
  ['/failure_handlers', ({ workflow_id }) => ({ workflow_id, name: 'h', rules: '[]' })],
  ['/slurm_schedulers', ({ workflow_id }) => ({ workflow_id, name: 's', account: 'a', nodes: 1, walltime: '1:00' })],
  ['/local_schedulers', ({ workflow_id }) => ({ workflow_id, name: 'l' })],
  [
    '/scheduled_compute_nodes',
    ({ workflow_id }) => ({
      workflow_id,
      scheduler_id: 1,
      scheduler_config_id: 1,
      scheduler_type: 's',
      status: 'active',
    }),
  ],
  [
    '/compute_nodes',
    ({ workflow_id }) => ({
      workflow_id,
      hostname: 'n',
      pid: 1,
      start_time: '2026-01-01T00:00:00Z',
      num_cpus: 1,
      memory_gb: 1,
      num_gpus: 0,
      num_nodes: 1,
      compute_node_type: 'local',
    }),
  ],
  ['/events', ({ workflow_id }) => ({ workflow_id, timestamp: 1, data: {} })],
  [
    '/results',
    ({ workflow_id, job_id, node_id }) => ({
      workflow_id,
      job_id,
      run_id: 3,
      compute_node_id: node_id,
      return_code: 0,
      exec_time_minutes: 1,
      completion_time: 'x',
      status: 'completed',
    }),
  ],
  ['/ro_crate_entities', ({ workflow_id }) => ({ workflow_id, entity_id: '#e', entity_type: 'File', metadata: {} })],
  ['/slurm_stats', ({ workflow_id, job_id }) => ({ workflow_id, job_id, run_id: 0, attempt_id: 1 })],
  [
    '/workflows/1/actions',
    ({ workflow_id }) => ({
      workflow_id,
      trigger_type: 'on_workflow_start',
      action_type: 'run_commands',
      action_config: { commands: ['true'] },
    }),
  ],
  ['/workflows/from_expansion', () => ({ workflow: workflowOf(independent(2)) })],
]

/** Those that have tests of their own: below, in export.test.ts, and in those of access. */
const ELSEWHERE = ['/workflows/from_spec', '/workflows/import', '/access_groups', '/access_groups/{id}/members']

/** What can be made only once anyway: of a name, or of the jobs that are ready. */
const ONLY_ONE: [path: string, body: object][] = [
  [
    '/workflows/1/allocations',
    {
      ...{ plan: 'p', name: 'hr-0123abcd', scheduler_type: 'slurm', cluster: 'c', queue: 'q', directory: '/d' },
      ...{ width: 1, nodes: 1, cores: 1, memory_bytes: 0, gpus: 0, walltime_seconds: 60 },
    },
  ],
  ['/workflows/1/pipe_runs', { scheduler: 'local', directory: '/d', walltime_seconds: 3_600, threshold: 1 }],
]

it('GET /openapi.json shows the header for every creating request, and for no other', async () => {
  type Paths = Record<string, Record<string, { parameters?: { name: string }[] }>>
  const { paths } = (await (await t.app.request('/openapi.json')).json()) as { paths: Paths }
  const shown = Object.entries(paths).filter(([, { post }]) =>
    post?.parameters?.some(parameter => parameter.name === 'Idempotency-Key'),
  )
  const tested = [...CREATING, ...ONLY_ONE].map(([path]) => path.replace('/1/', '/{id}/'))
  expect(shown.map(([path]) => path).sort()).toEqual([...tested, ...ELSEWHERE].sort())
})

describe.each(CREATING)('POST %s', (path, body) => {
  it('creates once per key', async () => {
    const ids = { workflow_id, job_id: await seedJob(t, workflow_id), node_id: await seedNode(t, workflow_id) }
    const first = await t.post(path, body(ids), KEY)
    expect(first.status).toBe(200)
    const again = await t.post(path, body(ids), KEY)
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    const other = await t.post(path, body(ids), { 'idempotency-key': 'key-2' })
    expect(other.headers.get('idempotency-replayed')).toBeNull()
  })
})

describe.each(ONLY_ONE)('POST %s', (path, body) => {
  it('gives the first reply again for a key', async () => {
    await seedJob(t, workflow_id)
    await t.post(`/workflows/${workflow_id}/initialize_jobs`)
    const first = await t.post(path, body, KEY)
    expect([first.status, first.body]).toEqual([200, expect.objectContaining({ id: 1 })])
    const again = await t.post(path, body, KEY)
    expect([again.status, again.body]).toEqual([200, first.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })
})

describe('POST /workflows/from_spec', () => {
  const YAML = "name: flow\njobs: [{ name: a, command: 'true' }]\n"
  const send = (path: string, key: string) =>
    t.app.request(`/v1/workflows/from_spec${path}`, { method: 'POST', body: YAML, headers: { 'idempotency-key': key } })

  it('makes one workflow per key, and starts it once', async () => {
    const first = await send('?start=true', 'a')
    const again = await send('?start=true', 'a')
    expect(await again.json()).toEqual(await first.json())
    expect(await workflows()).toBe(2)
    expect((await t.get('/jobs?workflow_id=2')).body.items).toMatchObject([{ status: 'ready' }])
    expect((await send('', 'a')).status).toBe(422)
  })
})

describe('POST /workflows/from_expansion', () => {
  const twiceAtOnce = (jobs: number, query = '') => {
    const body = { workflow: workflowOf(independent(jobs)) }
    return Promise.all([1, 2].map(() => t.post(`/workflows/from_expansion${query}`, body, KEY)))
  }

  it('larger than one transaction makes one workflow of two equal requests at once, and leaves no piece', async () => {
    const replies = await twiceAtOnce(6_000)
    expect(replies.map(reply => reply.status)).toEqual([200, 200])
    expect(replies[1]!.body).toEqual(replies[0]!.body)
    const rows = await t.db.read(() => all<{ state: string }>('SELECT state FROM workflow'))
    expect(rows.map(row => row.state)).toEqual(['live', 'live'])
    expect(await t.db.read(() => one('SELECT count(*) AS n FROM job'))).toEqual({ n: 6_000 })
  })

  it.each([2, 6_000])(
    'with %i jobs and start=true starts them once, and answers both when that is done',
    async jobs => {
      const replies = await twiceAtOnce(jobs, '?start=true')
      expect(replies.map(reply => reply.status)).toEqual([200, 200])
      expect(replies[1]!.body).toEqual(replies[0]!.body)
      const id: number = replies[0]!.body.workflow_id
      expect((await t.get(`/workflows/${id}/status`)).body.jobs_by_status.ready).toBe(jobs)
      const starts = () => all(`SELECT 1 FROM stream_event WHERE workflow_id = ? AND type = 'workflow_started'`, id)
      expect(await t.db.read(starts)).toHaveLength(1)
    },
  )
})
