import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessApp, actingAs, operator } from '../../helpers/access.ts'
import type { TestApp } from '../../helpers/app.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow } from '../../helpers/seed.ts'
import { bearer, seedToken } from '../../helpers/tokens.ts'

/** In every text of the other project; it must never reach a token of this one. */
const SECRET = 'Zeisig-43'

let t: TestApp
let token: string
let operations: { method: string; path: string }[]
let own: number
let rows: string

beforeAll(async () => {
  // Rules are off: the fence alone keeps projects apart.
  t = await accessApp({ enforce: false })
  const all = actingAs(t, operator)
  const workflow_id = await seedWorkflow(all, { name: SECRET, project: 'theirs', description: SECRET })
  const job = await seedJob(all, workflow_id, { name: SECRET, command: SECRET })
  await seedFile(all, workflow_id, SECRET)
  const node = await seedNode(all, workflow_id, { hostname: SECRET })
  await all.post('/user_data', { workflow_id, name: SECRET, data: { a: SECRET } })
  await all.post('/events', { workflow_id, timestamp: 1, data: { a: SECRET } })
  await all.post('/results', resultOf(workflow_id, job, node, { completion_time: SECRET }))
  own = await seedWorkflow(all, { project: 'ours' })
  token = (await seedToken(t, { scopes: ['read', 'write', 'claim'], project: 'ours' })).token
  rows = await snapshot()
  operations = t.app.routes
    .filter(route => route.method !== 'ALL' && route.path.startsWith('/v1/') && !route.path.endsWith('/stream'))
    .map(({ method, path }) => ({ method, path }))
    // Without a workflow of its own the token would have nothing to try with.
    .filter(({ method, path }) => method !== 'DELETE' || path !== '/v1/workflows/:id')
})
afterAll(() => t.close())

/** All that the other project has. */
async function snapshot(): Promise<string> {
  const lists = ['jobs', 'files', 'user_data', 'results', 'events', 'compute_nodes']
  const replies = await Promise.all(lists.map(list => t.get(`/${list}?workflow_id=1&all_runs=true`, operator)))
  const workflow = await t.get('/workflows/1', operator)
  return JSON.stringify([workflow.body, ...replies.map(({ body }) => body.items)])
}

const id = () => fc.integer({ min: 1, max: 3 })
const FIELDS = [
  ...['workflow_id', 'job_id', 'file_id', 'name', 'user', 'command', 'path', 'project', 'run_id', 'status', 'claims'],
  ...['compute_node_id', 'depends_on_job_ids', 'input_file_ids', 'resource_requirements_id', 'expires_in_seconds'],
]
const value = fc.oneof(id(), fc.constantFrom('1', 'theirs', '', null, true), fc.constantFrom([1], [2], { a: 1 }))
const fields = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 6 })

it('S97 no request with a token of one project gets at what is of another, or changes it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(id(), { minLength: 4, maxLength: 4 }),
      fields,
      fields,
      async (pick, ids, query, body) => {
        const { method, path } = operations[pick % operations.length]!
        let at = 0
        const url = path.replace(/:(\w+)/g, () => String(ids[at++ % 4]))
        const words = Object.entries(query).map(([name, given]) => `${name}=${encodeURIComponent(String(given))}`)
        const init: RequestInit = { method, headers: { ...bearer(token), 'content-type': 'application/json' } }
        if (method !== 'GET') init.body = JSON.stringify(ids[3] === 1 ? body : { ...body, workflow_id: own })
        const response = await t.app.request(`${url}?${words.join('&')}`, init)
        expect(response.status).toBeLessThan(500)
        expect(await response.text()).not.toContain(SECRET)
      },
    ),
    { numRuns: 1_000 },
  )
  expect(await snapshot()).toBe(rows)
}, 120_000)
