import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { runsOf } from '../helpers/back-end.ts'
import { operations, type Parameter } from '../helpers/contract.ts'
import type { Schema } from '../helpers/json-schema.ts'
import { seedFile, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
  for (const _ of [1, 2]) {
    const workflow = await seedWorkflow(t)
    const file = await seedFile(t, workflow, 'f')
    const job = await seedJob(t, workflow, { output_file_ids: [file] })
    await seedJob(t, workflow, { depends_on_job_ids: [job], input_file_ids: [file] })
    await seedNode(t, workflow)
  }
})
afterAll(() => t.close())

/** Values that hurt: edges of number types, text that is more than text, empty things. */
const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    -1,
    1,
    2,
    3,
    1.5,
    2 ** 31,
    2 ** 53,
    -(2 ** 53),
    1e300,
    -0,
    true,
    false,
    '',
    ' ',
    'ready',
    'PT1H',
    '4g',
    [],
    {},
  ),
  fc.constantFrom<unknown>(
    '\ud800',
    'a\u0000b',
    "'; DROP TABLE job; --",
    '__proto__',
    '{"a":1}',
    'x'.repeat(5_000),
    { constructor: 1 },
    [[[]]],
  ),
  fc.jsonValue({ maxDepth: 2 }),
)

/** Texts that mean something in the field of this name. */
const TEXTS: Record<string, string[]> = {
  memory: ['1g', '500m'],
  runtime: ['PT1H', 'P1D'],
  rules: ['[]', '[{"exit_codes":[1]}]'],
  trigger_type: ['on_workflow_start', 'on_jobs_ready'],
  action_type: ['run_commands', 'other'],
}

type Way = { faults: number; resolve: (schema: Schema) => Schema }
const asItIs = (schema: Schema): Schema => schema

/** A value that fits its schema, but one in `faults` times any other; 0 for never. */
function fitting(given: Schema, { faults, resolve }: Way, name = '', depth = 0): fc.Arbitrary<unknown> {
  const schema = resolve(given)
  const way = { faults, resolve }
  const choice = schema.oneOf?.[0] ?? schema.anyOf?.[0]
  const right = choice === undefined ? rightOf(schema, way, name, depth) : fitting(choice, way, name, depth)
  return faults === 0 ? right : fc.oneof({ weight: faults - 1, arbitrary: right }, { weight: 1, arbitrary: nasty })
}

function rightOf(schema: Schema, way: Way, name: string, depth: number): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  switch ([schema.type].flat()[0]) {
    case 'integer':
      return fc.integer({ min: 0, max: 4 })
    case 'number':
      return fc.double({ min: 0, max: 8, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'string':
      return fc.oneof(fc.constantFrom(...(TEXTS[name] ?? ['a', 'b'])), fc.string())
    case 'array':
      return fc.array(fitting(schema.items ?? {}, way, name, depth + 1), { maxLength: 3 })
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([key, field]) => [
        key,
        fitting(field, way, key, depth + 1),
      ])
      return depth > 3
        ? fc.constant({})
        : fc.record(Object.fromEntries(fields), { requiredKeys: (schema.required ?? []) as never[] })
    }
    default:
      return name === 'action_config' ? fc.constant({ commands: ['true'] }) : nasty
  }
}

const strangeWord = fc.oneof(fc.constantFrom('', '-1', '99999999999999999999', 'id', '%00', '%', 'true'), fc.string())

/** The text of a path segment or a query parameter: mostly one of its type. */
function wordOf({ name, schema = {} }: Parameter): fc.Arbitrary<string> {
  const right =
    name === 'status'
      ? fc.constantFrom('ready', 'completed', 'failed')
      : fitting(schema, { faults: 0, resolve: asItIs }, name).map(String)
  return fc.oneof({ weight: 19, arbitrary: right }, { weight: 1, arbitrary: strangeWord })
}

const wordsOf = (parameters: readonly Parameter[]): Record<string, fc.Arbitrary<string>> =>
  Object.fromEntries(parameters.map(parameter => [parameter.name, wordOf(parameter)]))

it.each(operations)(
  'S97 $name never answers 5xx, whatever it is sent',
  async ({ method, path, parameters, body: schema, resolve }) => {
    const required = parameters
      .filter(parameter => parameter.in === 'query' && parameter.required)
      .map(({ name }) => name)
    const request = fc.record({
      segments: fc.record(wordsOf(parameters.filter(parameter => parameter.in === 'path'))),
      query: fc.record(wordsOf(parameters.filter(parameter => parameter.in === 'query')), {
        requiredKeys: required as never[],
      }),
      body:
        schema === undefined
          ? fc.constant(undefined)
          : fc.oneof(fitting(schema, { faults: 0, resolve }), fitting(schema, { faults: 10, resolve })),
      dialect: fc.constantFrom<Record<string, string>>(
        {},
        { 'x-torc-client-user': 'u' },
        { 'user-agent': 'OpenAPI-Generator/v0.7.0/rust' },
      ),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ segments, query, body, dialect }) => {
        const url = path.replace(/\{(\w+)\}/g, (_, name: string) =>
          encodeURIComponent(String((segments as Record<string, unknown>)[name])),
        )
        const search = new URLSearchParams(query as Record<string, string>).toString()
        const response = await t.app.request(`/v1${url}${search === '' ? '' : `?${search}`}`, {
          method,
          headers: { 'content-type': 'application/json', ...dialect },
          body: body === undefined || method === 'GET' ? undefined : JSON.stringify(body),
        })
        if (response.headers.get('content-type') === 'text/event-stream') return void (await response.body?.cancel())
        const text = await response.text()
        expect(response.status, text).toBeLessThan(500)
        expect(() => JSON.parse(text)).not.toThrow()
      }),
      { numRuns: runsOf(25) },
    )
  },
)

it('S97 bytes that are no JSON never end in 5xx', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('/workflows', '/bulk_jobs', '/events/1', '/jobs/1'),
      async (bytes, path) => {
        const method = /\d$/.test(path) ? 'PUT' : 'POST'
        const response = await t.app.request(`/v1${path}`, {
          method,
          headers: { 'content-type': 'application/json' },
          body: new Uint8Array(bytes),
        })
        expect(response.status).toBeLessThan(500)
      },
    ),
    { numRuns: runsOf(200) },
  )
})
