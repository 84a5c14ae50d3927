import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { distinctOperations, type Operation, type Parameter } from '../helpers/contract.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** What each operation of the contract says to input that it cannot take: a 4xx that names the place. */

let t: TestApp
let w: number
beforeAll(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
  const job = await seedJob(t, w)
  const node = await seedNode(t, w)
  await seedFile(t, w, 'f')
  const row = (path: string, fields: object) => t.post(path, { workflow_id: w, ...fields })
  await row('/user_data', { name: 'd' })
  await row('/slurm_schedulers', { account: 'a', nodes: 1, walltime: '1:00' })
  await row('/local_schedulers', {})
  await row('/scheduled_compute_nodes', { scheduler_id: 1, scheduler_config_id: 1, scheduler_type: 's', status: 'x' })
  await row('/failure_handlers', { name: 'h', rules: '[]' })
  await row('/events', { timestamp: 1, data: {} })
  await row('/ro_crate_entities', { entity_id: '#e', entity_type: 'File', metadata: {} })
  await t.post('/results', resultOf(w, job, node))
  await t.post('/access_groups', { name: 'g' })
  const fields = { trigger_type: 'on_workflow_start', action_type: 'run_commands', action_config: { commands: ['x'] } }
  await row(`/workflows/${w}/actions`, fields)
})
afterAll(() => t.close())

const WORDS: Record<string, string> = { status: 'completed', limit: '1', run_id: '0' }
const pathOf = (path: string, words: Record<string, string> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? WORDS[name] ?? '1')

const required = (parameters: readonly Parameter[]): string =>
  parameters
    .filter(parameter => parameter.in === 'query' && parameter.required)
    .map(parameter => `${parameter.name}=1`)
    .join('&')

async function send(
  operation: Operation,
  { path = '', query = '', body }: { path?: string; query?: string; body?: string },
) {
  const url = `/v1${path || pathOf(operation.path)}?${[required(operation.parameters), query].filter(Boolean).join('&')}`
  const init: RequestInit = { method: operation.method, headers: { 'content-type': 'application/json' } }
  const response = await t.app.request(url, body === undefined || operation.method === 'GET' ? init : { ...init, body })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as Reply['body'] }
}

/** Closed on purpose before they look at anything, or open only to administrators. */
const isOpen = ({ path }: Operation): boolean => !path.startsWith('/admin/')
/** Their body may be missing, or may be any JSON. */
const ANY_BODY = /actions\/\{action_id\}\/claim|cancel$|events\/\{id\}$/
const withBody = distinctOperations.filter(operation => operation.body !== undefined && isOpen(operation))
const withOneShape = withBody.filter(({ path }) => !ANY_BODY.test(path))

describe.each(withOneShape)('$name', operation => {
  it('says 400 to broken JSON and to bytes that are no UTF-8, 415 to another content type', async () => {
    expect((await send(operation, { body: '{"a":' })).status).toBe(400)
    expect((await send(operation, { body: '' })).status).toBe(400)
    const url = `/v1${pathOf(operation.path)}?${required(operation.parameters)}`
    const broken = new Uint8Array([0x22, 0xff, 0xfe, 0x22])
    const headers = { 'content-type': 'application/json' }
    expect((await t.app.request(url, { method: operation.method, headers, body: broken })).status).toBe(400)
    const text = { method: operation.method, headers: { 'content-type': 'text/plain' }, body: '{}' }
    expect((await t.app.request(url, text)).status).toBe(415)
  })

  it('says 422 to a body of another shape', async () => {
    for (const body of ['3', '"text"', 'null', 'true']) expect((await send(operation, { body })).status, body).toBe(422)
  })
})

/** Fields that the server sets, or that another place of the request decides: their value in a body is not looked at. */
const IGNORED = new Set([
  'id',
  'timestamp',
  'status_id',
  'run_id',
  'is_canceled',
  'is_archived',
  'attempt_id',
  'compute_node_id',
  'start_time',
  'origin',
  'schedule_compute_nodes',
  'created_at',
  'group_id',
  'job_name',
  'workflow_id',
  'required_triggers',
  'executed_by',
  'labels',
])

const fieldCases = withBody
  .filter(operation => !ANY_BODY.test(operation.path))
  .flatMap(operation =>
    Object.keys(operation.resolve(operation.body!).properties ?? {}).map(field => ({
      operation,
      field,
      name: operation.name,
    })),
  )

it.each(fieldCases)('$name names $field where its value is of another type', async ({ operation, field }) => {
  // No field of the contract takes a list in a list, but those that take any JSON at all.
  const { status, body } = await send(operation, { body: JSON.stringify(exampleOf(operation, { [field]: [[[]]] })) })
  if (IGNORED.has(field) || ANY_JSON.has(field)) return void expect(status).toBeLessThan(500)
  expect({ status, field: body.error.field }).toEqual({
    status: 422,
    field: expect.stringMatching(new RegExp(`^${field}\\b`)),
  })
})

const ANY_JSON = new Set(['data', 'scheduler', 'state'])

/** A body with all required fields of the right type, so that only the named one is wrong. */
function exampleOf(operation: Operation, fields: object): object {
  const schema = operation.resolve(operation.body!)
  const entries = (schema.required ?? []).map(name => [name, exampleValue(operation, name)])
  return { ...Object.fromEntries(entries), ...fields }
}

const EXAMPLES: Record<string, unknown> = {
  trigger_type: 'on_workflow_start',
  action_type: 'run_commands',
  action_config: { commands: ['x'] },
  rules: '[]',
  role: 'member',
  status: 'completed',
  data: {},
  metadata: {},
}

function exampleValue(operation: Operation, name: string): unknown {
  if (Object.hasOwn(EXAMPLES, name)) return EXAMPLES[name]
  const schema = operation.resolve(operation.resolve(operation.body!).properties![name]!)
  switch ([schema.type].flat()[0]) {
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return false
    case 'array':
      return []
    case 'object':
      return {}
    default:
      return 'text'
  }
}

const queryCases = distinctOperations
  .filter(isOpen)
  .flatMap(operation =>
    operation.parameters
      .filter(parameter => parameter.in === 'query')
      .map(parameter => ({ name: operation.name, operation, parameter, parameterName: parameter.name })),
  )
const typeOf = (operation: Operation, { schema = {} }: Parameter): string => {
  const inner = operation.resolve(schema)
  const choice = inner.oneOf?.map(operation.resolve).find(one => one.type !== 'null') ?? inner
  return String([choice.type].flat()[0])
}

/** Parameters of the contract that have no effect on either server, and are not read. */
const UNREAD = new Set(['clear_ephemeral_user_data'])

it.each(queryCases)(
  '$name says 400 naming $parameterName where it cannot be read',
  async ({ operation, parameter }) => {
    const type = typeOf(operation, parameter)
    const bad =
      type === 'integer' ? ['x', '1.5', '', '99999999999999999999', '1e3'] : type === 'boolean' ? ['1', '', 'TRUE'] : []
    for (const word of bad) {
      const query = `${parameter.name}=${word}`
      const alone = { ...operation, parameters: operation.parameters.filter(other => other.name !== parameter.name) }
      const { status, body } = await send(alone, { query })
      expect([status, body.error.message], query).toEqual([400, expect.stringContaining(parameter.name)])
    }
    if (parameter.name === 'trigger_type' || UNREAD.has(parameter.name)) return
    const twice = await send({ ...operation, parameters: [] }, { query: `${parameter.name}=1&${parameter.name}=1` })
    expect(twice.status).toBe(400)
  },
)

const pathCases = distinctOperations
  .filter(operation => isOpen(operation) && operation.parameters.some(parameter => parameter.in === 'path'))
  .flatMap(operation =>
    operation.parameters
      .filter(parameter => parameter.in === 'path' && typeOf(operation, parameter) === 'integer')
      .map(parameter => ({ name: operation.name, operation, parameter, parameterName: parameter.name })),
  )

it.each(pathCases)(
  '$name says 400 to a $parameterName that is no integer, and never finds an odd one',
  async ({ operation, parameter }) => {
    const reply = (word: string) =>
      send(operation, { path: pathOf(operation.path, { [parameter.name]: encodeURIComponent(word) }), body: '{}' })
    for (const word of ['x', '1.5', '99999999999999999999', '1;', 'NaN', '0x1'])
      expect((await reply(word)).status, word).toBe(400)
    if (parameter.name !== 'id' || ANY_BODY.test(operation.path)) return
    // A body that does not fit may be seen first.
    for (const word of ['-1', '0', '999999999999999'])
      expect([404, 422, 400], word).toContain((await reply(word)).status)
  },
)

it('SQL in sort_by, filters and names is text', async () => {
  const evil = `id); DROP TABLE job; SELECT ('`
  const sorted = distinctOperations.filter(({ parameters }) => parameters.some(({ name }) => name === 'sort_by'))
  expect(sorted.length).toBeGreaterThan(10)
  for (const operation of sorted) {
    const { status } = await send(operation, { query: `sort_by=${encodeURIComponent(evil)}` })
    expect(status, operation.name).toBe(200)
  }
  for (const query of ['name', 'command', 'labels'])
    expect((await t.get(`/jobs?workflow_id=${w}&${query}=${encodeURIComponent(evil)}`)).body.total_count).toBe(0)
  const id = await seedJob(t, w, { name: evil, command: evil })
  expect((await t.get(`/jobs/${id}`)).body).toMatchObject({ name: evil, command: evil })
})

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

it.each<[string, string, (json: string) => string]>([
  ['POST', '/user_data', json => `{"workflow_id": 1, "name": "d", "data": ${json}}`],
  ['PUT', '/user_data/1', json => `{"data": ${json}}`],
  ['POST', '/events', json => `{"workflow_id": 1, "timestamp": 1, "data": ${json}}`],
  ['PUT', '/events/1', json => json],
  ['POST', '/workflows', json => `{"name": "w", "user": "u", "metadata": {"a": ${json}}}`],
  ['PUT', '/compute_nodes/1', json => `{"scheduler": ${json}}`],
  [
    'POST',
    '/workflows/1/actions',
    json => `{"trigger_type": "on_workflow_start", "action_type": "x", "action_config": {"a": ${json}}}`,
  ],
])('%s %s takes JSON that is nested a little, and refuses what is nested too deep', async (method, path, bodyOf) => {
  const headers = { 'content-type': 'application/json' }
  const ask = async (json: string) =>
    (await t.app.request(`/v1${path}`, { method, headers, body: bodyOf(json) })).status
  expect(await ask(deep(50))).toBe(200)
  for (const levels of [200, 2_000, 100_000]) expect(await ask(deep(levels)), String(levels)).toBe(422)
})

it('JSON that is nested deep where nobody looks is ignored, and a NUL in it is not', async () => {
  const headers = { 'content-type': 'application/json' }
  const ask = async (body: string) => (await t.app.request('/v1/workflows', { method: 'POST', headers, body })).status
  expect(await ask(`{"name": "w", "user": "u", "unknown": ${deep(100_000)}}`)).toBe(200)
  expect(await ask(`{"name": "w\\u0000", "user": "u", "unknown": ${deep(100_000)}}`)).toBe(422)
  expect(await ask(`{"name": "\\\\u0000", "user": "u"}`)).toBe(200)
})

/** In the JSON that SQLite splits into rows, half a character becomes bytes that are no UTF-8: the driver ends the process at them. */
it.each<[string, string, string]>([
  ['POST', '/workflows', '{"name": "w", "user": "u", "access_groups": ["\\ud800"]}'],
  ['POST', '/workflows/1/remote_workers', '["\\ud800"]'],
  ['POST', '/jobs', '{"workflow_id": 1, "name": "\\udfff", "command": "c"}'],
  ['POST', '/user_data', '{"workflow_id": 1, "name": "d", "data": {"\\ud800": 1}}'],
  ['POST', '/workflows/from_spec', 'name: w\njobs: [{name: "a\\ud800", command: "true"}]\n'],
  ['POST', '/workflows/from_spec', 'name: w\njobs: [{name: a, command: "true \\0 more"}]\n'],
  ['POST', '/workflows/from_spec?file_name=w.json5', `{name: 'w', jobs: [{name: 'a', command: '\\x00'}]}`],
])('%s %s refuses half a character and a NUL', async (method, path, body) => {
  const headers = { 'content-type': path.includes('from_spec') ? 'application/yaml' : 'application/json' }
  const response = await t.app.request(`/v1${path}`, { method, headers, body })
  expect([response.status, await response.text()]).toEqual([
    422,
    expect.stringMatching(/half a surrogate pair|U\+0000/),
  ])
})

it.each([1e300, -1e300, 2 ** 63, -(2 ** 63), 1.5])('%d is no integer that is taken', async number => {
  for (const [path, field] of [
    ['/jobs', 'priority'],
    ['/resource_requirements', 'num_cpus'],
    ['/workflows', 'compute_node_wait_for_new_jobs_seconds'],
    ['/slurm_schedulers', 'nodes'],
  ] as const) {
    const body = {
      workflow_id: w,
      name: 'n',
      user: 'u',
      command: 'c',
      account: 'a',
      walltime: 'w',
      nodes: 1,
      [field]: number,
    }
    expect(await t.post(path, body), path).toMatchObject({ status: 422, body: { error: { field } } })
  }
})

it('ids of other workflows are refused where a workflow is named beside them', async () => {
  const other = await seedWorkflow(t)
  const theirs = await seedJob(t, other)
  const theirNode = await seedNode(t, other)
  const mine = await seedJob(t, w)
  const statuses = [
    await t.post('/results', resultOf(w, theirs, theirNode, { run_id: 50 })),
    await t.post('/slurm_stats', { workflow_id: w, job_id: theirs, run_id: 0, attempt_id: 1 }),
    await t.post(`/user_data?consumer_job_id=${theirs}`, { workflow_id: w, name: 'd' }),
    await t.post('/jobs', { workflow_id: w, name: 'j', command: 'c', depends_on_job_ids: [theirs] }),
    await t.put(`/jobs/${mine}`, { ...(await t.get(`/jobs/${mine}`)).body, depends_on_job_ids: [theirs] }),
    await t.put(`/jobs/${mine}/start_job/0/${theirNode}`),
    await t.post(`/workflows/${w}/claim_next_jobs`, { compute_node_id: theirNode, start: true }),
    await t.post(`/workflows/${w}/actions`, {
      trigger_type: 'on_jobs_ready',
      action_type: 'run_commands',
      action_config: { commands: ['x'] },
      job_ids: [theirs],
    }),
  ].map(reply => reply.status)
  expect(statuses).toEqual(statuses.map(() => 422))
})
