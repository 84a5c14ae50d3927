import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { scopeOf } from '../../api/access-scope.ts'
import { findAccess } from '../../db/access-control.ts'
import { all, type Statement } from '../../db/unit.ts'
import { accessApp, actingAs, as, nobody, operator, seedGroup } from '../helpers/access.ts'
import type { TestApp } from '../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** Operations as the router has them, below /v1: `GET /jobs/:id`. */
type Operation = { method: string; path: string }

let t: TestApp
let operations: Operation[]
/** Ids of what ada has, by the first word of the path. */
let owned: Record<string, number>
const MISSING = 999_999

beforeAll(async () => {
  t = await accessApp()
  operations = t.app.routes
    .filter(route => route.method !== 'ALL' && route.path.startsWith('/v1/'))
    .map(({ method, path }) => ({ method, path: path.slice('/v1'.length) }))
  owned = await seedEverything(actingAs(t, as('ada')))
})
afterAll(() => t.close())

async function seedEverything(ada: TestApp): Promise<Record<string, number>> {
  const workflow_id = await seedWorkflow(ada)
  const post = async (path: string, body: object): Promise<number> => {
    const reply = await ada.post(path, { workflow_id, ...body })
    expect(reply.status, `${path} ${JSON.stringify(reply.body)}`).toBe(200)
    return reply.body.id
  }
  const job = await seedJob(ada, workflow_id)
  const node = await seedNode(ada, workflow_id)
  const scheduler = { name: 's', account: 'a', nodes: 1, walltime: '1:00' }
  const slurm = await post('/slurm_schedulers', scheduler)
  const task = await ada.post(`/workflows/${workflow_id}/initialize_jobs?async=true`)
  expect(task.status).toBe(202)
  await vi.waitFor(async () => expect((await ada.get(`/jobs/${job}`)).body.status).toBe('ready'))
  const staged = await ada.post(`/workflows/${workflow_id}/pipe_runs`, {
    scheduler: 'local',
    directory: '/scratch/run',
    walltime_seconds: 3_600,
    threshold: 1,
  })
  expect(staged.status, JSON.stringify(staged.body)).toBe(200)
  return {
    workflows: workflow_id,
    jobs: job,
    compute_nodes: node,
    slurm_schedulers: slurm,
    files: await seedFile(ada, workflow_id, 'f'),
    user_data: await post('/user_data', { name: 'd' }),
    resource_requirements: await post('/resource_requirements', { name: 'r', num_cpus: 1 }),
    failure_handlers: await post('/failure_handlers', { name: 'h', rules: '[]' }),
    local_schedulers: await post('/local_schedulers', { name: 'l' }),
    scheduled_compute_nodes: await post('/scheduled_compute_nodes', {
      scheduler_id: 7,
      scheduler_config_id: slurm,
      scheduler_type: 'slurm',
      status: 'active',
    }),
    results: await post('/results', resultOf(workflow_id, job, node)),
    events: await post('/events', { timestamp: 1, data: {} }),
    ro_crate_entities: await post('/ro_crate_entities', { entity_id: '#e', entity_type: 'File', metadata: '{}' }),
    tasks: task.body.id,
    pipe_runs: staged.body.id,
  }
}

/** Calls an operation with the id of a row, a workflow_id in query and body, and something that fits in the rest of the path. */
async function call(operation: Operation, ids: { row: number; workflow: number }, headers: Record<string, string>) {
  const path = operation.path
    .replace(':id', String(ids.row))
    .replace(/:(limit|run_id|action_id|compute_node_id|group_id)/g, '1')
    .replace(':status', 'completed')
    .replace(/:\w+/g, 'x')
  const entry = { workflow_id: ids.workflow }
  const init: RequestInit = { method: operation.method, headers: { ...headers, 'content-type': 'application/json' } }
  if (operation.method === 'POST' || operation.method === 'PUT') {
    init.body = JSON.stringify({ ...entry, jobs: [entry], files: [entry], user_data: [entry] })
  }
  const response = await t.app.request(`/v1${path}?workflow_id=${ids.workflow}`, init)
  const text = response.headers.get('content-type') === 'text/event-stream' ? '' : await response.text()
  await response.body?.cancel().catch(() => {})
  return { status: response.status, text }
}

const scoped = (operation: Operation) => scopeOf(operation.method, operation.path.replace(/:\w+/g, '1'))
const touchesWorkflow = (operation: Operation) =>
  ['row', 'query', 'body'].includes(scoped(operation)?.kind ?? 'unknown')
const nameOf = ({ method, path }: Operation) => `${method} ${path}`
const firstWord = ({ path }: Operation) => path.split('/')[1]!

it('accessGate() knows the scope of every operation that is served', () => {
  expect(operations.length).toBeGreaterThan(100)
  expect(operations.filter(operation => scoped(operation) === undefined).map(nameOf)).toEqual([])
})

it('accessGate() leaves to operations themselves only what is known to look', () => {
  const guarded = operations.filter(operation => scoped(operation)?.kind === 'guarded').map(nameOf)
  expect(guarded.sort()).toEqual([
    'DELETE /access_groups/:id',
    'DELETE /access_groups/:id/members/:user_name',
    'DELETE /tokens/:id',
    'DELETE /webhooks/:webhook_id',
    'GET /access_check/:workflow_id/:user_name',
    'GET /access_groups',
    'GET /access_groups/:id',
    'GET /access_groups/:id/members',
    'GET /admin/api-stats',
    'GET /admin/audit-log',
    'GET /admin/calls',
    'GET /claims/stream',
    'GET /tokens',
    'GET /tokens/:id',
    'GET /users/:user_name/groups',
    'GET /webhooks',
    'GET /workflow_sources',
    'GET /workflows',
    'POST /access_groups',
    'POST /access_groups/:id/members',
    'POST /admin/reload-auth',
    'POST /admin/sql',
    'POST /claims',
    'POST /claims/heartbeat',
    'POST /claims/release',
    'POST /claims/summary',
    'POST /tokens',
    'POST /tokens/:id/rotate',
    'POST /webhooks',
    'POST /webhooks/:webhook_id/enable',
  ])
})

it('S98 accessGate() keeps strangers and the unknown out of everything of a workflow: 403, or 404 for tasks', async () => {
  const let_in: string[] = []
  for (const operation of operations.filter(touchesWorkflow)) {
    const row = owned[firstWord(operation)] ?? owned.workflows!
    const expected = firstWord(operation) === 'tasks' || operation.path.endsWith('active_task') ? 404 : 403
    for (const headers of [as('ben'), nobody]) {
      const { status, text } = await call(operation, { row, workflow: owned.workflows! }, headers)
      if (status !== expected) let_in.push(`${nameOf(operation)}: ${status} ${text}`)
    }
  }
  expect(let_in).toEqual([])
})

it('accessGate() answers 404 for what is missing, to strangers too', async () => {
  const others: string[] = []
  for (const operation of operations.filter(touchesWorkflow)) {
    const { status, text } = await call(operation, { row: MISSING, workflow: MISSING }, as('ben'))
    if (status !== 404) others.push(`${nameOf(operation)}: ${status} ${text}`)
  }
  expect(others).toEqual([])
})

it('accessGate() keeps nothing from the owner, members of a linked group, administrators and the operator', async () => {
  const group = await seedGroup(t, 'crew', { cy: 'member' })
  await t.post(`/workflows/${owned.workflows}/access_groups/${group}`, undefined, as('root'))
  const refused: string[] = []
  for (const operation of operations.filter(touchesWorkflow)) {
    // Reading is enough: the gate does not look at the method.
    if (operation.method !== 'GET' || operation.path.includes(':worker')) continue
    const row = owned[firstWord(operation)] ?? owned.workflows!
    for (const headers of [as('ada'), as('cy'), as('root'), operator]) {
      const { status, text } = await call(operation, { row, workflow: owned.workflows! }, headers)
      if (status !== 200 && status !== 400) refused.push(`${nameOf(operation)}: ${status} ${text}`)
    }
  }
  expect(refused).toEqual([])
})

it('accessGate() reads ids as the router does, however they are written', async () => {
  const encoded = [...String(owned.jobs)].map(digit => `%3${digit}`).join('')
  for (const id of [encoded, `+${owned.jobs}`, `%2B${owned.jobs}`, `0${owned.jobs}`]) {
    const { status } = await t.get(`/jobs/${id}`, as('ben'))
    expect([id, status]).toEqual([id, 403])
  }
  for (const id of ['x', '1x', '%2531', '']) {
    expect([id, (await t.get(`/jobs/${id}`, as('ben'))).status]).toEqual([id, id === '' ? 404 : 400])
  }
})

it('accessGate() takes HEAD for the GET it stands for', async () => {
  const head = async (path: string, headers: Record<string, string>) =>
    (await t.app.request(`/v1${path}`, { method: 'HEAD', headers })).status
  expect(await head(`/workflows/${owned.workflows}`, as('ben'))).toBe(403)
  expect(await head(`/workflows/${owned.workflows}`, as('ada'))).toBe(200)
  expect(await head('/workflows', as('ben'))).toBe(200)
})

it('accessGate() judges bulk requests by their first entry, and the operation refuses a second workflow', async () => {
  const ben = actingAs(t, as('ben'))
  const own = await seedWorkflow(ben)
  const job = (workflow_id: number) => ({ workflow_id, name: `j${workflow_id}`, command: 'true' })
  expect((await ben.post('/bulk_jobs', { jobs: [job(owned.workflows!), job(own)] })).status).toBe(403)
  expect((await ben.post('/bulk_jobs', { jobs: [job(own), job(owned.workflows!)] })).status).toBe(422)
  expect((await ben.post('/bulk_jobs', { jobs: [] })).status).toBe(422)
  expect((await ben.post('/bulk_jobs', { jobs: [{ name: 'x', command: 'true' }] })).status).toBe(422)
  expect((await ben.post('/bulk_jobs', { jobs: [job(own)] })).status).toBe(200)
  const ours = await ben.get(`/jobs?workflow_id=${owned.workflows}`, as('ada'))
  expect(ours.body.total_count).toBe(1)
})

it('accessGate() costs one statement beside those of the operation', async () => {
  let reads = 0
  const counting = await accessApp()
  const ada = actingAs(counting, as('ada'))
  const id = await seedWorkflow(ada)
  const { read } = counting.db
  counting.db.read = unit => {
    reads++
    return read(unit)
  }
  await ada.get(`/workflows/${id}`)
  expect(reads).toBe(2)
  reads = 0
  await counting.get(`/workflows/${id}`, operator)
  expect(reads).toBe(1)
  await counting.close()
})

it.each(['workflow', 'job', 'file', 'result', 'event', 'task'])(
  'findAccess() of %s reads by index alone',
  async table => {
    const [statement] = findAccess(table, 1, { name: 'ada' }).next().value as Statement[]
    const plan = await t.db.read(() => all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement!.sql}`, 'ada', 1))
    const scans = plan.map(({ detail }) => detail).filter(detail => detail.startsWith('SCAN'))
    // The row that carries the caller's name.
    expect(scans.filter(detail => !/CONSTANT ROW|caller/.test(detail))).toEqual([])
  },
)

it('unknown paths are 404 and other methods 405 where rules are enforced too', async () => {
  expect((await t.get('/nothing', as('ben'))).status).toBe(404)
  expect((await t.get('/nothing/here', nobody)).status).toBe(404)
})
