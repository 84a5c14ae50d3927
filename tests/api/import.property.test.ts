import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { runsOf } from '../helpers/back-end.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { diamond, jobOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let lines: Record<string, unknown>[]

beforeAll(async () => {
  t = await testApp()
  const files = [{ name: 'f', path: 'f', stMtime: 1, identifier: undefined }]
  const jobs = [...diamond(), jobOf('maker', { outputFiles: [0], labels: ['gpu'], tags: { a: 'b' }, env: { A: '1' } })]
  const started = await startWorkflow(t, workflowOf(jobs, { files, failureHandlers: [{ name: 'h', rules: '[]' }] }))
  const { workflowId: id } = started
  await t.post(`/workflows/${id}/claim_next_jobs?limit=1`, {})
  await t.post(`/workflows/${id}/batch_complete_jobs`, { completions: [completionOf(started, started.jobs[0]!)] })
  await t.post('/user_data', { workflow_id: id, name: 'd', data: { a: [1] } })
  await t.post('/events', { workflow_id: id, timestamp: 1, data: {} })
  await t.post('/ro_crate_entities', { workflow_id: id, entity_id: '#e', entity_type: 'File', metadata: {} })
  await t.post('/local_schedulers', { workflow_id: id, name: 'l' })
  const text = await (await t.app.request(`/v1/workflows/${id}/export`)).text()
  lines = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
})
afterAll(() => t.close())

/** Lists of a workflow that an import has filled: a value that got past the checks shows when it is read. */
const LISTS = ['jobs', 'results', 'files', 'user_data', 'events', 'compute_nodes', 'local_schedulers']
const PAGES = ['', '/status', '/summary', '/graph', '/actions', '/ro_crate_entities', '/export']

const strange = fc.oneof(
  fc.constantFrom(null, '', 0, -1, 1e300, 2 ** 60, true, [], {}, 'x', '[', '{"a":', [null], { a: null }, 'completed'),
  fc.jsonValue({ maxDepth: 2 }),
)

it('an export with any field of any line changed is imported or refused, never a fault, and never leaves half', async () => {
  const places = lines.flatMap((line, at) => Object.keys(line).map(key => ({ at, key })))
  const visible = async () => (await t.get('/workflows?limit=1')).body.total_count
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), strange, fc.boolean(), async ({ at, key }, value, drop) => {
      const before = await visible()
      const changed = lines.map((line, k) => {
        if (k !== at) return line
        const { [key]: _, ...rest } = line
        return drop ? rest : { ...rest, [key]: value }
      })
      const reply = await t.app.request('/v1/workflows/import', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: changed.map(line => JSON.stringify(line)).join('\n'),
      })
      const body = (await reply.json()) as { workflow_id?: number }
      expect(reply.status, JSON.stringify(body)).toBeLessThan(500)
      if (reply.status !== 200) {
        expect(await visible()).toBe(before)
        return
      }
      const id = body.workflow_id!
      for (const path of [
        ...LISTS.map(list => `/${list}?workflow_id=${id}`),
        ...PAGES.map(page => `/workflows/${id}${page}`),
      ])
        expect((await t.app.request(`/v1${path}`)).status, path).toBe(200)
      await assertInvariants(t.db)
      await t.del(`/workflows/${id}`)
    }),
    { numRuns: runsOf(100), interruptAfterTimeLimit: 15_000 },
  )
})
