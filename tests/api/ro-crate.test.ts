import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedFile, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const entitiesOf = async (w: number) => (await t.get(`/workflows/${w}/ro_crate_entities`)).body.items
const initialize = (w: number) => t.post(`/workflows/${w}/initialize_jobs`)

it('initialize_jobs describes the files that have been seen, and the server of this run', async () => {
  const w = await seedWorkflow(t, { enable_ro_crate: true })
  const seen = await seedFile(t, w, 'table', { path: 'out/table.csv', st_mtime: 1.5 })
  await seedFile(t, w, 'not there yet')
  await initialize(w)
  expect(await entitiesOf(w)).toEqual([
    {
      id: expect.any(Number),
      workflow_id: w,
      file_id: seen,
      entity_id: 'out/table.csv',
      entity_type: 'File',
      metadata: {
        '@id': 'out/table.csv',
        '@type': ['File', 'prov:Entity'],
        name: 'table',
        encodingFormat: 'text/csv',
        dateModified: '1970-01-01T00:00:01.500Z',
      },
    },
    {
      id: expect.any(Number),
      workflow_id: w,
      entity_id: '#software-torc-server-run-id-0',
      entity_type: 'SoftwareApplication',
      metadata: { '@id': '#software-torc-server-run-id-0', '@type': 'SoftwareApplication', name: 'headrace' },
    },
  ])
})

it('initialize_jobs keeps what others have written about a file, and describes each run once', async () => {
  const w = await seedWorkflow(t, { enable_ro_crate: true })
  const file = await seedFile(t, w, 'f', { path: 'f.json', st_mtime: 1 })
  await t.post('/ro_crate_entities', {
    workflow_id: w,
    file_id: file,
    entity_id: 'mine',
    entity_type: 'File',
    metadata: { author: 'ada', name: 'old' },
  })
  await initialize(w)
  await t.put(`/files/${file}`, { workflow_id: w, name: 'f', path: 'f.json' })
  await initialize(w)
  await t.post(`/workflows/${w}/reset_status`)
  await initialize(w)
  const entities = await entitiesOf(w)
  expect(entities.map((entity: { entity_id: string }) => entity.entity_id)).toEqual([
    'mine',
    '#software-torc-server-run-id-0',
    '#software-torc-server-run-id-1',
  ])
  expect(entities[0].metadata).toMatchObject({
    author: 'ada',
    name: 'f',
    '@id': 'mine',
    encodingFormat: 'application/json',
  })
})

it('initialize_jobs leaves alone what others call by the path of a file, and times that no calendar has', async () => {
  const w = await seedWorkflow(t, { enable_ro_crate: true })
  await seedFile(t, w, 'f', { path: 'taken', st_mtime: 1 })
  await seedFile(t, w, 'g', { path: 'late', st_mtime: 1e300 })
  const other = { workflow_id: w, entity_id: 'taken', entity_type: 'Dataset', metadata: { a: 1 } }
  await t.post('/ro_crate_entities', other)
  expect((await initialize(w)).status).toBe(200)
  const [first, second] = await entitiesOf(w)
  expect(first).toMatchObject(other)
  expect(second.entity_id).toBe('late')
  expect(second.metadata).not.toHaveProperty('dateModified')
})

it('initialize_jobs writes no crate for a workflow that wants none', async () => {
  const w = await seedWorkflow(t)
  await seedFile(t, w, 'f', { st_mtime: 1 })
  await initialize(w)
  expect(await entitiesOf(w)).toEqual([])
})
