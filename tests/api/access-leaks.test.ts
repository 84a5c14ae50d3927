import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessApp, actingAs, as, nobody, seedGroup } from '../helpers/access.ts'
import type { TestApp } from '../helpers/app.ts'
import { runsOf } from '../helpers/back-end.ts'
import { resultOf, seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** In every text that ada stores; it must never reach anybody else. */
const SECRET = 'Zeisig-42'

let t: TestApp
let operations: { method: string; path: string }[]
let ownWorkflow: number
let rows: string

beforeAll(async () => {
  t = await accessApp()
  const ada = actingAs(t, as('ada'))
  const workflow_id = await seedWorkflow(ada, { name: SECRET, description: SECRET, metadata: { a: SECRET } })
  const job = await seedJob(ada, workflow_id, { name: SECRET, command: SECRET, env: { A: SECRET } })
  await seedFile(ada, workflow_id, SECRET)
  const node = await seedNode(ada, workflow_id, { hostname: SECRET })
  await ada.post('/user_data', { workflow_id, name: SECRET, data: { a: SECRET } })
  await ada.post('/resource_requirements', { workflow_id, name: SECRET, num_cpus: 1 })
  await ada.post('/failure_handlers', { workflow_id, name: SECRET, rules: `["${SECRET}"]` })
  await ada.post('/slurm_schedulers', { workflow_id, name: SECRET, account: SECRET, nodes: 1, walltime: '1:00' })
  await ada.post('/local_schedulers', { workflow_id, name: SECRET })
  await ada.post('/events', { workflow_id, timestamp: 1, data: { a: SECRET } })
  await ada.post('/ro_crate_entities', { workflow_id, entity_id: SECRET, entity_type: 'File', metadata: '{}' })
  await ada.post(`/workflows/${workflow_id}/remote_workers`, [SECRET])
  await ada.post('/results', resultOf(workflow_id, job, node, { completion_time: SECRET }))
  await seedGroup(t, 'crew', { ada: 'admin' })
  ownWorkflow = await seedWorkflow(actingAs(t, as('ben')))
  rows = await snapshot()
  operations = t.app.routes
    .filter(route => route.method !== 'ALL' && route.path.startsWith('/v1/') && !route.path.endsWith('/stream'))
    .map(({ method, path }) => ({ method, path }))
    // Without a workflow of his own ben would have nothing to try with.
    .filter(({ method, path }) => method !== 'DELETE' || path !== '/v1/workflows/:id')
})
afterAll(() => t.close())

/** All that ada has, as ada sees it. */
async function snapshot(): Promise<string> {
  const lists = ['jobs', 'files', 'user_data', 'resource_requirements', 'results', 'events', 'compute_nodes']
  const replies = await Promise.all(lists.map(list => t.get(`/${list}?workflow_id=1&all_runs=true`, as('ada'))))
  const workflow = await t.get('/workflows/1', as('ada'))
  return JSON.stringify([workflow.body, ...replies.map(({ body }) => body.items)])
}

/** Ids of ada's rows lie among the first few, as ben's do. */
const id = () => fc.integer({ min: 1, max: 3 })
const value = (...guesses: string[]) =>
  fc.oneof(
    id(),
    fc.constantFrom('1', 'completed', 'ada', '', null, true, ...guesses),
    fc.constantFrom([1], [2], { a: 1 }),
  )
const FIELDS = [
  ...['workflow_id', 'job_id', 'file_id', 'name', 'user', 'command', 'path', 'limit', 'sort_by', 'offset', 'status'],
  ...['compute_node_id', 'depends_on_job_ids', 'input_file_ids', 'resource_requirements_id', 'consumer_job_id'],
  ...['needs_file_id', 'upstream_job_id', 'access_group', 'access_groups', 'user_name', 'role', 'sql', 'claims'],
]
const fields = (...guesses: string[]) => fc.dictionary(fc.constantFrom(...FIELDS), value(...guesses), { maxKeys: 6 })

it('S97 no request of another user gets at what is ada’s, or changes it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(id(), { minLength: 4, maxLength: 4 }),
      // Only a filter may hold the word: stored by ben, it would be his own when it came back later.
      fields(SECRET),
      fields(),
      fc.boolean(),
      async (pick, ids, query, body, known) => {
        const { method, path } = operations[pick % operations.length]!
        let at = 0
        const url = path.replace(/:(\w+)/g, (_, name) => (/name|worker/.test(name) ? 'ada' : String(ids[at++ % 4])))
        const words = Object.entries(query).map(([name, given]) => `${name}=${encodeURIComponent(String(given))}`)
        const init: RequestInit = {
          method,
          headers: { ...(known ? as('ben') : nobody), 'content-type': 'application/json' },
        }
        // Half of the bodies name ben's own workflow, so that what they name besides is looked at.
        if (method !== 'GET') init.body = JSON.stringify(ids[3] === 1 ? body : { ...body, workflow_id: ownWorkflow })
        const response = await t.app.request(`${url}?${words.join('&')}`, init)
        const text = await response.text()
        expect(response.status).toBeLessThan(500)
        // What ben says himself may come back to him.
        if (!JSON.stringify(query).includes(SECRET)) expect(text).not.toContain(SECRET)
      },
    ),
    { numRuns: runsOf(1_500) },
  )
  expect(await snapshot()).toBe(rows)
}, 120_000)
