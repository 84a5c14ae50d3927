import { afterAll, beforeAll, expect, it } from 'vitest'
import { dialectOf } from '../../api/dialect.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

const NEW = { 'x-torc-client-user': 'u' }
const OLD = { 'user-agent': 'OpenAPI-Generator/v0.7.0/rust' }
const python = (minor: number) => ({ 'user-agent': `OpenAPI-Generator/0.${minor}.0/python` })

it('dialectOf() tells the dialect by the headers of each known client', () => {
  const of = (headers: Record<string, string>) => dialectOf(name => headers[name], 'auto')
  expect(of(NEW)).toEqual({ json: 'object', resetRaisesRunId: true })
  expect(of({ ...NEW, ...OLD })).toEqual({ json: 'object', resetRaisesRunId: true })
  expect(of(OLD)).toEqual({ json: 'text', resetRaisesRunId: false })
  expect(of(python(12))).toEqual({ json: 'text', resetRaisesRunId: false })
  expect(of(python(15))).toEqual({ json: 'text', resetRaisesRunId: true })
  expect(of(python(19))).toEqual({ json: 'as_given', resetRaisesRunId: true })
  expect(of(python(21))).toEqual({ json: 'object', resetRaisesRunId: true })
  expect(of({ 'user-agent': 'curl/8' })).toEqual({ json: 'as_given', resetRaisesRunId: true })
})

it('dialectOf() follows the option of the server before any header', () => {
  expect(dialectOf(name => ({ ...NEW })[name as 'x-torc-client-user'], 'old').json).toBe('text')
  expect(dialectOf(() => undefined, 'new').json).toBe('object')
})

it('POST /workflows takes text and object, and GET gives each client the form it reads', async () => {
  const text = '{ "b": 1, "a": [2] }'
  const asText = await seedWorkflow(t, { metadata: text, execution_config: 'no json' })
  const asObject = await seedWorkflow(t, { metadata: { b: 1, a: [2] } })

  expect((await t.get(`/workflows/${asText}`, NEW)).body.metadata).toEqual({ b: 1, a: [2] })
  expect((await t.get(`/workflows/${asText}`, NEW)).body).not.toHaveProperty('execution_config')
  expect((await t.get(`/workflows/${asText}`, OLD)).body.metadata).toBe(text)
  expect((await t.get(`/workflows/${asText}`)).body.metadata).toBe(text)
  expect((await t.get(`/workflows/${asText}`)).body.execution_config).toBe('no json')
  expect((await t.get(`/workflows/${asObject}`, NEW)).body.metadata).toEqual({ b: 1, a: [2] })
  expect((await t.get(`/workflows/${asObject}`, OLD)).body.metadata).toBe('{"b":1,"a":[2]}')
  expect((await t.get(`/workflows/${asObject}`)).body.metadata).toEqual({ b: 1, a: [2] })

  const { body: list } = await t.get('/workflows', OLD)
  expect(list.items.map((item: { metadata: unknown }) => typeof item.metadata)).toEqual(['string', 'string'])
})

it('PUT /workflows replaces such a field in the form given', async () => {
  const id = await seedWorkflow(t, { metadata: { a: 1 }, slurm_defaults: { b: 2 } })
  await t.put(`/workflows/${id}`, { name: 'w', user: 'u', metadata: '{"a":3}' })
  const { body } = await t.get(`/workflows/${id}`)
  expect(body.metadata).toBe('{"a":3}')
  expect(body.slurm_defaults).toEqual({ b: 2 })
})

it('POST /workflows ends with 422 where such a field is a list, a number or a flag', async () => {
  for (const metadata of [[], 3, true]) {
    expect((await t.post('/workflows', { name: 'w', user: 'u', metadata })).status).toBe(422)
  }
})

it('workflowReply() leaves parts of resource_monitor_config out that are null, which new readers take for objects', async () => {
  const config = { enabled: true, jobs: null, compute_node: null }
  const text = await seedWorkflow(t, { resource_monitor_config: JSON.stringify(config) })
  const object = await seedWorkflow(t, { resource_monitor_config: config })
  for (const id of [text, object])
    expect((await t.get(`/workflows/${id}`, NEW)).body.resource_monitor_config).toEqual({ enabled: true })
  expect((await t.get(`/workflows/${text}`, OLD)).body.resource_monitor_config).toBe(JSON.stringify(config))
})

it('workflowReply() leaves out a text resource_monitor_config that new readers cannot parse', async () => {
  const bad = await seedWorkflow(t, { resource_monitor_config: '{"enabled":"yes"}' })
  const good = await seedWorkflow(t, { resource_monitor_config: '{"enabled":true,"granularity":"summary"}' })
  expect((await t.get(`/workflows/${bad}`, NEW)).body).not.toHaveProperty('resource_monitor_config')
  expect((await t.get(`/workflows/${good}`, NEW)).body.resource_monitor_config).toEqual({
    enabled: true,
    granularity: 'summary',
  })
  expect((await t.get(`/workflows/${bad}`, OLD)).body.resource_monitor_config).toBe('{"enabled":"yes"}')
})

it('POST reset_status raises run_id except for old clients, which raise it themselves', async () => {
  const id = await seedWorkflow(t)
  expect((await t.post(`/workflows/${id}/reset_status`, undefined, OLD)).body.run_id).toBe(0)
  expect((await t.post(`/workflows/${id}/reset_status`, undefined, NEW)).body.run_id).toBe(1)
  expect((await t.post(`/workflows/${id}/reset_status`)).body.run_id).toBe(2)
})
