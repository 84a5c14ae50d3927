import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { toJson } from '../../api/core/spec/data-json.ts'
import { workflowJsonSchema } from '../../api/core/spec/json-schema.ts'
import { readSpec } from '../../api/spec/read.ts'
import { testApp } from '../helpers/app.ts'
import { FIXTURES, readFixtureJson } from './fixture-env.ts'
import { misfits } from './schema-check.ts'

const schema = workflowJsonSchema()

/** The file as an editor sees it: what its text says, without expansion. */
async function misfitsOf(text: string, fileName = 'flow.yaml'): Promise<string[]> {
  const read = await readSpec(text, { fileName })
  if ('diagnostics' in read) throw new Error(`Cannot read ${fileName}: ${read.diagnostics[0]!.message}`)
  return misfits(toJson(read.tree.root), schema)
}

const fixture = (name: string) => misfitsOf(readFileSync(join(FIXTURES, 'specs', name), 'utf8'), name)

const valid = ['', 'rules/'].flatMap(folder =>
  readdirSync(join(FIXTURES, 'specs', folder), { withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'stations.txt')
    .map(entry => `${folder}${entry.name}`),
)

/** What shows in a single key or value; the others need names, other keys or the whole graph. */
const STRUCTURAL = ['unknown_key', 'removed_key', 'missing_key', 'wrong_type', 'bad_value']

const invalid = readFixtureJson<{ file: string; kind: string }[]>('specs/invalid/index.json').filter(({ kind }) =>
  STRUCTURAL.includes(kind),
)

describe('workflowJsonSchema()', () => {
  test.each(valid)('lets the valid file %s pass', async name => {
    expect(await fixture(name)).toEqual([])
  })

  test.each(invalid)('refuses $file ($kind)', async ({ file }) => {
    expect(await fixture(`invalid/${file}`)).not.toEqual([])
  })

  test.each([
    [
      'runtime: "PT1H',
      'resource_requirements: [{ name: a, num_cpus: 1, memory: 1g, runtime: "P0000-00-01T02:00:00" }]',
    ],
    ['weeks', 'resource_requirements: [{ name: a, num_cpus: 1, memory: " +12k ", runtime: P2W }]'],
    ['a constant in place of a size', 'resource_requirements: [{ name: a, num_cpus: 1, memory: "{size}" }]'],
    ['a constant in place of a word', 'execution_config: { mode: "{mode}" }'],
    ['null for absent', 'description: ~\nexecution_config: ~\nfiles: ~'],
    ['the other spelling of a key', 'job_sort_method: none'],
    ['keys of ours', 'loss_budget: 2\nretry: { max: 1, on: [oom], max_memory: 4g }\nsite: { prologue: [a] }'],
    ['unknown keys of the monitor', 'resource_monitor: { colour: red }'],
  ])('lets %s pass', async (_, line) => {
    expect(await misfitsOf(`name: x\njobs: []\n${line}\n`)).toEqual([])
  })

  test.each([
    ['a duration without P', 'resource_requirements: [{ name: a, num_cpus: 1, memory: 1g, runtime: 1h }]'],
    ['a duration without parts', 'resource_requirements: [{ name: a, num_cpus: 1, memory: 1g, runtime: PT }]'],
    ['an unknown class of failures', 'retry: { on: [sometimes] }'],
    ['a name of blanks', 'files: [{ name: " ", path: p }]'],
    ['a number as a variable', 'env: { A: 1 }'],
    ['an unknown key deep inside', 'execution_config: { stdio: { mod: none } }'],
  ])('refuses %s', async (_, line) => {
    expect(await misfitsOf(`name: x\njobs: []\n${line}\n`)).not.toEqual([])
  })

  test('checks the values of free keys', async () => {
    const withTags = (tags: string) => misfitsOf(`name: x\njobs: [{ name: a, command: a, tags: ${tags} }]\n`)
    expect(await withTags('{ kind: fit }')).toEqual([])
    expect(await withTags('{ kind: 1 }')).not.toEqual([])
  })

  test('explains every key', () => {
    const objects = [schema, ...Object.values(schema.definitions as Record<string, typeof schema>)]
    const unexplained = objects.flatMap(({ properties }) =>
      Object.entries(properties as Record<string, { description?: string }>).filter(
        ([, { description }]) => !description,
      ),
    )
    expect(unexplained).toEqual([])
  })

  test('is served at /v1/workflow.schema.json', async () => {
    const app = await testApp()
    try {
      const { status, body, headers } = await app.get('/workflow.schema.json')
      expect(status).toBe(200)
      expect(headers.get('content-type')).toBe('application/schema+json')
      expect(body).toEqual(schema)
    } finally {
      await app.close()
    }
  })

  test('is what scripts/spec-schema.mjs writes for the package', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-schema-'))
    try {
      const path = join(folder, 'deep', 'workflow.schema.json')
      execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/spec-schema.mjs', import.meta.url)), path])
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(schema)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
