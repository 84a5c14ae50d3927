import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toDocument } from '../../api/core/spec/document.ts'
import { toMapNode } from '../../api/core/spec/json-node.ts'
import type { ExpandedWorkflow } from '../../api/core/spec/types.ts'
import { writeSpec } from '../../api/spec/write.ts'
import { createWorkflow } from '../../db/create-workflow.ts'
import { readStored } from '../../runner/stored-workflow.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { comparable } from '../spec/comparable.ts'
import { FIXTURES, loadFixture, loadText } from '../spec/fixture-env.ts'

async function withApp<T>(use: (app: TestApp) => Promise<T>): Promise<T> {
  const app = await testApp()
  try {
    return await use(app)
  } finally {
    await app.close()
  }
}

const exported = async ({ app }: TestApp, id: number): Promise<string> =>
  (await app.request(`/v1/workflows/${id}/export`)).text()

/** The workflow as the file says it that is exported of it. */
async function throughFile(document: string): Promise<ExpandedWorkflow> {
  const stored = readStored(document)
  if ('message' in stored) throw new Error(stored.message)
  const { workflow, diagnostics } = await loadText(await writeSpec(toMapNode(toDocument(stored)), 'yaml'))
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  return workflow!
}

/** Groups have to exist, and their names are an administrator's. */
const withoutGroups = (workflow: ExpandedWorkflow): ExpandedWorkflow => ({ ...workflow, accessGroups: [] })

const files = ['', 'rules/'].flatMap(folder =>
  readdirSync(join(FIXTURES, 'specs', folder), { withFileTypes: true })
    .filter(({ name }) => /\.yaml$/.test(name) && !/^three-stage/.test(name))
    .map(entry => `${folder}${entry.name}`),
)

describe('readStored()', () => {
  test.each(files)('gives back what was stored of %s, before and after it was initialized', async file => {
    const { workflow } = await loadFixture(file)
    await withApp(async app => {
      const id = await createWorkflow(app.db, workflow!, { user: 'me', now: 1 })
      expect(comparable(await throughFile(await exported(app, id)))).toBe(comparable(workflow!))
      await app.post(`/workflows/${id}/initialize_jobs`)
      expect(comparable(await throughFile(await exported(app, id)))).toBe(comparable(workflow!))
    })
  })

  const OWN_KEYS = [
    'name: x',
    'loss_budget: 2',
    'dynamic_jobs: { max_iterations: 7 }',
    'metadata: { z: 1, a: { pi: Noor } }',
    'jobs_sort_method: none',
    'retry: { max: 3, on: [oom, timeout], memory_factor: 1.5, max_memory: 4g, max_runtime: PT2H }',
    'transient: { exit_codes: [75] }',
    'deterministic: { log_patterns: [NaN] }',
    'eject: true',
    'site: { prologue: ["module load x"], directives: ["#SBATCH -C lustre"] }',
    'resource_requirements: [{ name: big, num_cpus: 2, memory: 1g }]',
    'slurm_schedulers: [{ name: s, account: a, serialize_allocations: true, ntasks_per_node: 2 }]',
    'enable_ro_crate: true',
    'files: [{ name: in, path: in.csv, st_mtime: 5.5, identifier: "doi:10/x" }]',
    'user_data: [{ name: "u{i}", data: { b: [1, 2.5, null, "{i}"] }, is_ephemeral: true, parameters: { i: [1, 2] } }]',
    'env: { A: "1" }',
    'jobs:',
    '  - { name: a, command: "a", tags: { kind: k }, cwd: run/1, time_limit: PT0.5S, eject: false, env: { B: "2" } }',
    '  - { name: b, command: b, resource_requirements: big, deterministic: { exit_codes: [2] }, labels: [gpu, win] }',
    '  - { name: c, command: c, family: solver, retry: {}, input_files: [in], stdio: { mode: none }, input_user_data: [u1] }',
    '  - { name: d, command: d, scheduler: s, transient: { log_patterns: ["try again"] } }',
  ].join('\n')

  test('gives back the keys of the newer format and ours', async () => {
    const { workflow } = await loadText(OWN_KEYS)
    await withApp(async app => {
      const id = await createWorkflow(app.db, workflow!, { user: 'me', now: 1 })
      expect(comparable(await throughFile(await exported(app, id)))).toBe(comparable(withoutGroups(workflow!)))
    })
  })

  test('gives them back after an export and an import, too', async () => {
    const { workflow } = await loadText(OWN_KEYS)
    await withApp(async app => {
      const id = await createWorkflow(app.db, workflow!, { user: 'me', now: 1 })
      const reply = await app.app.request('/v1/workflows/import', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: await exported(app, id),
      })
      const { workflow_id } = (await reply.json()) as { workflow_id: number }
      expect(comparable(await throughFile(await exported(app, workflow_id)))).toBe(comparable(workflow!))
    })
  })

  test('says why a workflow with a name twice is no file', async () => {
    await withApp(async app => {
      const { body } = await app.post('/workflows', { name: 'w', user: 'me' })
      await app.post('/bulk_jobs', {
        jobs: ['a', 'b', 'a'].map(name => ({ workflow_id: body.id, name, command: 'true' })),
      })
      expect(readStored(await exported(app, body.id))).toEqual({ message: 'two jobs are called "a"' })
    })
  })
})
