import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { must } from '../../runner/client/must.ts'
import type { Client } from '../../runner/client.ts'
import { createFromFile, type ExpandedFile } from '../../runner/create-workflow.ts'
import { findWorkflow } from '../../runner/find-workflow.ts'
import { parseRunOptions, type RunFlags } from '../../runner/run-options.ts'
import { createFakeClient, refusal } from './fake-client.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-find-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const JOBS = "jobs: [{ name: first, command: 'true' }]\n"

function optionsFor(text: string, flags: Partial<RunFlags> = {}) {
  writeFileSync(join(directory, 'flow.yaml'), text)
  return parseRunOptions({ target: 'flow.yaml', ...flags }, {}, directory)
}

/** A control plane that knows these workflows of any file, and makes number 8. */
const clientKnowing = (sources: readonly object[]) =>
  createFakeClient((_, path) => {
    if (path.startsWith('/workflow_sources')) return { items: sources }
    if (path === '/workflows/from_expansion') return { workflow_id: 8 }
    return refusal(404, 'Workflow not found')
  })

/** The control plane of a server: workflows are made by a request. */
const planeOf = (client: Client) => ({
  client,
  create: async (spec: ExpandedFile) => (await must(createFromFile(client, spec, directory))).workflow_id,
})

/** The hash under which a file would be known. */
async function hashOf(text: string): Promise<string> {
  const { client, sent } = clientKnowing([])
  await findWorkflow(planeOf(client), optionsFor(text))
  return (sent.at(-1)!.body as { source_hash: string }).source_hash
}

describe('findWorkflow()', () => {
  test('makes a workflow of a file that is not known, with path and hash', async () => {
    const { client, sent } = clientKnowing([])
    expect(await findWorkflow(planeOf(client), optionsFor(`name: a\n${JOBS}`))).toEqual({
      kind: 'found',
      workflowId: 8,
    })
    expect(sent.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual([
      'GET /workflow_sources',
      'POST /workflows/from_expansion',
    ])
    expect(sent[1]!.body).toMatchObject({ source_path: join(directory, 'flow.yaml'), workflow: { name: 'a' } })
  })

  test('S104 continues the workflow of an unchanged file, and another one is refused', async () => {
    const text = `name: a\n${JOBS}`
    const known = clientKnowing([{ workflow_id: 5, source_hash: await hashOf(text) }])
    expect(await findWorkflow(planeOf(known.client), optionsFor(text))).toEqual({ kind: 'found', workflowId: 5 })
    const refused = await findWorkflow(planeOf(known.client), optionsFor(`name: b\n${JOBS}`))
    expect(refused).toMatchObject({ kind: 'refused', exitCode: 2, message: expect.stringContaining('give --new') })
    expect(known.sent.map(({ method }) => method)).toEqual(['GET', 'GET'])
  })

  test('S104 with --new does not look for a known workflow', async () => {
    const { client, sent } = clientKnowing([{ workflow_id: 5, source_hash: 'x' }])
    const found = await findWorkflow(planeOf(client), optionsFor(`name: a\n${JOBS}`, { new: true }))
    expect(found).toEqual({ kind: 'found', workflowId: 8 })
    expect(sent.map(({ method }) => method)).toEqual(['POST'])
  })

  test.each([
    ['was made, is taken as it is', [{ workflow_id: 8, source_hash: 'x' }], 1],
    ['was not made, is made then', [], 2],
  ])('a workflow whose creation had no reply and that %s', async (_, sources, creations) => {
    let asked = 0
    const { client, sent } = createFakeClient(method => {
      if (method === 'GET') return { items: asked === 0 ? [] : sources }
      return asked++ === 0 ? { ok: false, code: 'no_reply', message: 'read ECONNRESET' } : { workflow_id: 8 }
    })
    const found = await findWorkflow(planeOf(client), optionsFor(`name: a\n${JOBS}`))
    expect(found).toEqual({ kind: 'found', workflowId: 8 })
    expect(sent.filter(({ path }) => path === '/workflows/from_expansion')).toHaveLength(creations)
  })

  test('on a server keeps the same file of different output directories apart', async () => {
    const { client, sent } = clientKnowing([])
    const flags = { url: 'http://127.0.0.1:1', 'output-dir': 'there' }
    await findWorkflow(planeOf(client), optionsFor(`name: a\n${JOBS}`, flags))
    expect(sent[1]!.body).toMatchObject({
      source_path: `${join(directory, 'flow.yaml')} (${join(directory, 'there')})`,
    })
  })

  test('refuses a wrong file with its lines, and asks nothing', async () => {
    const { client, sent } = clientKnowing([])
    const found = await findWorkflow(planeOf(client), optionsFor('name: a\njobs: [{ name: x, comand: y }]\n'))
    expect(found).toMatchObject({ kind: 'refused', exitCode: 2, message: expect.stringMatching(/flow\.yaml:2:\d+: /) })
    expect(sent).toEqual([])
  })

  test('refuses when an input is missing that no job makes, naming each once', async () => {
    const { client } = clientKnowing([])
    const text = `name: a
files: [{ name: there, path: ${directory}/flow.yaml }, { name: missing, path: ${directory}/missing }]
jobs:
  - { name: x, command: 'true', input_files: [there, missing] }
  - { name: y, command: 'true', input_files: [missing] }
`
    const found = await findWorkflow(planeOf(client), optionsFor(text))
    const message = `Cannot run as the input file "missing" of job "x" is missing and no job makes it: ${directory}/missing`
    expect(found).toEqual({ kind: 'refused', exitCode: 2, message })
  })

  test('takes a workflow by its id, and refuses one that is not there', async () => {
    const { client } = createFakeClient((_, path) => (path.startsWith('/workflows/5/') ? {} : refusal(404, 'gone')))
    const target = (id: string) => parseRunOptions({ target: id }, {}, directory)
    expect(await findWorkflow(planeOf(client), target('5'))).toEqual({ kind: 'found', workflowId: 5 })
    expect(await findWorkflow(planeOf(client), target('6'))).toMatchObject({ kind: 'refused', exitCode: 3 })
  })
})
