import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenApiDocument } from '../../api/openapi/document.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { misfits, type Schema } from '../helpers/json-schema.ts'
import { type Document, differences } from '../helpers/openapi-differences.ts'
import { chain, jobOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let document: OpenApiDocument
beforeAll(async () => {
  t = await testApp()
  document = (await (await t.app.request('/openapi.json')).json()) as OpenApiDocument
})
afterAll(() => t.close())

const readFixture = (name: string) => JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'))

/** Our paths as Hono writes them. */
const honoPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1')

describe('GET /openapi.json', () => {
  it('is OpenAPI 3.1 with an id for each operation, each once', () => {
    expect(document.openapi).toBe('3.1.0')
    const ids = Object.values(document.paths).flatMap(methods => Object.values(methods).map(one => one.operationId))
    expect(ids.every(id => /^[a-z][a-z0-9_]*$/.test(id))).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('names only schemas that are there', () => {
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)]
    expect(names.length).toBeGreaterThan(100)
    const components = document.components as unknown as Record<string, Record<string, unknown>>
    expect(names.filter(([, kind, name]) => components[kind!]?.[name!] === undefined)).toEqual([])
  })

  it('has every route that is mounted, and no other', () => {
    const mounted = t.app.routes
      .filter(route => route.method !== 'ALL' && route.path.startsWith('/v1/'))
      .map(route => `${route.method.toLowerCase()} ${route.path.slice('/v1'.length)}`)
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${honoPath(path)}`),
    )
    expect([...new Set(mounted)].sort()).toEqual(described.sort())
  })

  it('describes what operations of ours answer', async () => {
    const { workflowId, jobs } = await startWorkflow(t, workflowOf([...chain(3), jobOf('other')]))
    const definitions = document.components.schemas as Record<string, Schema>
    const selector = { all: true }
    const asked: [method: 'get' | 'post', path: string, body?: object][] = [
      ['get', '/workflows/{id}/summary'],
      ['get', '/workflows/{id}/graph'],
      ['post', '/workflows/{id}/jobs/priority', { selector, priority: 1 }],
      ['post', '/workflows/{id}/jobs/cancel', { selector, dry_run: true }],
      ['get', '/jobs/{id}/explain'],
      ['get', '/jobs/{id}'],
      ['get', '/workflows/{id}'],
      ['post', '/workflows/{id}/pipe_runs?dry_run=true', PIPE_RUN],
      ['post', '/workflows/{id}/pipe_runs', PIPE_RUN],
      ['post', '/workflows/{id}/process_changed_job_inputs?dry_run=true'],
      ['post', '/workflows/{id}/claim_next_jobs', {}],
    ]
    const dry = Object.entries(document.paths).flatMap(([path, methods]) =>
      JSON.stringify(methods).includes('"dry_run","in":"query"') ? [`${path}?dry_run=true`] : [],
    )
    expect(dry.length).toBeGreaterThan(1)
    expect(asked.map(([, path]) => path)).toEqual(expect.arrayContaining(dry))
    for (const [method, path, body] of asked) {
      const url = path.replace('{id}', String(path.startsWith('/jobs') ? jobs[0] : workflowId))
      const reply = method === 'get' ? await t.get(url) : await t.post(url, body)
      const response = document.paths[path.split('?')[0]!]![method]!.responses['200']!
      const schema = 'content' in response ? response.content!['application/json']!.schema : {}
      expect([path, reply.status, misfits(reply.body, schema as Schema, definitions)]).toEqual([path, 200, []])
    }
    const refused = await t.get('/jobs/999')
    expect(misfits(refused.body, definitions.Error!, definitions)).toEqual([])
  })
})

const PIPE_RUN = { scheduler: 'slurm', directory: '/run', threshold: 1, walltime_seconds: 3600, choose: true, spec: {} }

type Reason = { pattern: string; reason: string }

describe.each(['api-0.23.0.json', 'api-0.14.0.json'])('the contract %s', file => {
  const theirs: Document = readFixture(`contract/${file}`)
  const reasons: Reason[] = readFixture('openapi-differences.json')

  it('differs from our document only where a reason is given', () => {
    // What the newer contract itself does otherwise than the older one needs no other reason.
    const newer = new Set(differences(theirs, readFixture('contract/api-0.23.0.json')))
    const found = differences(theirs, document as unknown as Document).filter(line => !newer.has(line))
    const patterns = reasons.map(({ pattern }) => new RegExp(`^(?:${pattern})$`))
    expect(found.filter(line => !patterns.some(pattern => pattern.test(line)))).toEqual([])
  })
})

it('every reason for a difference has its difference', () => {
  const found = ['api-0.23.0.json', 'api-0.14.0.json'].flatMap(file =>
    differences(readFixture(`contract/${file}`), document as unknown as Document),
  )
  const reasons: Reason[] = readFixture('openapi-differences.json')
  const idle = reasons.filter(({ pattern }) => !found.some(line => new RegExp(`^(?:${pattern})$`).test(line)))
  expect(idle).toEqual([])
  expect(reasons.every(({ reason }) => reason.length > 10)).toBe(true)
})

describe('GET /docs', () => {
  it('shows every operation, and needs no script and nothing from elsewhere', async () => {
    const reply = await t.app.request('/docs')
    const html = await reply.text()
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    for (const methods of Object.values(document.paths))
      for (const { operationId } of Object.values(methods)) expect(html).toContain(`id="${operationId}"`)
    expect(html).not.toMatch(/<script|https?:|src=/i)
    expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'")
    const anchors = [...html.matchAll(/href="#([\w-]+)"/g)].map(([, name]) => name!)
    expect(anchors.length).toBeGreaterThan(100)
    expect([...new Set(anchors)].filter(name => !html.includes(`id="${name}"`))).toEqual([])
  })
})
