import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openSite } from '../scenarios-runner/site.ts'
import { type Served, serveToClients } from './served.ts'
import { itWithClients as it, programsOf, VERSIONS, type Version } from './torc-client.ts'

let served: Served
beforeAll(async () => {
  served = await serveToClients()
})
afterAll(() => served?.close())

/** Python needs seconds to build 100,000 models, and to start once per job. */
const TIMEOUT_MS = 120_000

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Lets our runner work off a workflow whose jobs call the programs of that package. */
async function runOff(id: number, version: Version): Promise<void> {
  const env = { PATH: `${programsOf(version)}:${process.env.PATH}`, PYTHONDONTWRITEBYTECODE: '1' }
  await openSite('').runTo(0, ['run', String(id), '--url', served.server.url], env)
}

describe.each(VERSIONS)('torc-client %s', { timeout: TIMEOUT_MS }, version => {
  it('map_function_to_jobs() maps a Python function over inputs, and our runner runs its jobs', async () => {
    const client = served.clients[version]
    const { id } = await client.call('create_workflow', { workflow_model: { name: 'mapped', user: 'u' } })
    const jobs = await client.call('helper_map_function', {
      workflow_id: id,
      module: 'mapped',
      func: 'double',
      params: [{ value: 1 }, { value: 20 }],
      postprocess_func: 'total',
      module_directory: HERE,
    })
    expect(jobs).toHaveLength(3)
    await client.call('initialize_jobs', { id })
    await runOff(id, version)
    const { items } = await client.call('list_user_data', { workflow_id: id, name: 'postprocess_result' })
    expect(items.map((item: { data: unknown }) => item.data)).toEqual([{ total: 42 }])
  })

  it('create_jobs() and iter_documents() slice and page through more jobs than fit in one request', async () => {
    const client = served.clients[version]
    const { id } = await client.call('create_workflow', { workflow_model: { name: 'many', user: 'u' } })
    const job = { workflow_id: id, name: 'one_of_many', command: 'true' }
    expect(await client.call('helper_count_jobs', { count: 100_001, slice: 100_000, job })).toBe(100_001)
    const found = await client.call('helper_iterate', { name: 'list_jobs', arguments: { workflow_id: id } })
    expect(new Set(found.map((row: { id: number }) => row.id)).size).toBe(100_001)
  })
})

it('Orchestrator of torc-client 0.35.0 spawns generations of jobs from a job that our runner runs', {
  timeout: TIMEOUT_MS,
}, async () => {
  const client = served.clients['0.35.0']
  const { id } = await client.call('create_workflow', { workflow_model: { name: 'search', user: 'u' } })
  const job = { workflow_id: id, name: 'seed', command: `python ${HERE}orchestrate.py` }
  await client.call('create_job', { job_model: job })
  await client.call('initialize_jobs', { id })
  await runOff(id, '0.35.0')
  const { items } = await client.call('list_jobs', { workflow_id: id })
  expect(items.map((row: { name: string; status: string }) => `${row.name} ${row.status}`)).toEqual([
    'seed completed',
    'work_0 completed',
    'next_0 completed',
    'work_1 completed',
    'next_1 completed',
  ])
  const final = await client.call('list_user_data', { workflow_id: id, name: '__final' })
  expect(final.items[0].data).toMatchObject({ final: true, state: { generations: 2 } })
})
