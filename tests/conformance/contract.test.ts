import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { seedJob, seedWorkflow } from '../helpers/seed.ts'
import { api, callerOf, target } from './client.ts'

type Contract = { paths: Record<string, Record<string, unknown>> }

const contract = (name: string): Contract =>
  JSON.parse(readFileSync(new URL(`../fixtures/contract/${name}`, import.meta.url), 'utf8'))

it.each(['api-0.23.0.json', 'api-0.14.0.json'])(
  'contract: every operation of %s is served, and none fails',
  async file => {
    const amiss: string[] = []
    for (const [path, methods] of Object.entries(contract(file).paths)) {
      for (const method of Object.keys(methods)) {
        // Streams never end, and a reload needs a password file.
        if (path.endsWith('/stream')) continue
        const response = await fetch(`${target.url}/torc-service/v1${path.replace(/\{\w+\}/g, '999999')}`, {
          method: method.toUpperCase(),
          headers: { authorization: `Bearer ${target.token}` },
        })
        const text = await response.text()
        if (response.status >= 500 || response.status === 405 || text.includes('at this path'))
          amiss.push(`${method} ${path}: ${response.status} ${text}`)
      }
    }
    expect(amiss).toEqual([])
  },
)

it('contract: rows are created, listed by pages, changed and deleted', async () => {
  const id = await seedWorkflow(api, { description: 'Größe \u{1F30A}' })
  for (let k = 0; k < 5; k++) await seedJob(api, id, { name: `j${k}` })
  const page = await api.get(`/jobs?workflow_id=${id}&offset=2&limit=2&sort_by=name&reverse_sort=true`)
  expect(page.body).toMatchObject({ items: [{ name: 'j2' }, { name: 'j1' }], total_count: 5, has_more: true })
  const changed = await api.put(`/workflows/${id}`, { name: 'renamed' })
  expect(changed.body).toMatchObject({ name: 'renamed', description: 'Größe \u{1F30A}' })
  expect((await api.del(`/workflows/${id}`)).status).toBe(200)
  expect((await api.get(`/workflows/${id}`)).status).toBe(404)
})

it('contract: a body of a wrong kind and one that is no JSON are refused with the field or the reason', async () => {
  const wrong = await api.post('/workflows', { name: 5, user: 'u' })
  expect(wrong.status).toBe(422)
  expect(wrong.body.error.field).toBe('name')
  const broken = await fetch(`${target.url}/v1/workflows`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' },
    body: '{"name": ',
  })
  expect(broken.status).toBe(400)
})

it('contract: a hundred requests at once are all answered', async () => {
  const id = await seedWorkflow(api)
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, k) =>
      k % 2 === 0
        ? callerOf(target.url).get(`/workflows/${id}`)
        : callerOf(target.url).post('/jobs', { workflow_id: id, name: `j${k}`, command: 'true' }),
    ),
  )
  expect(new Set(replies.map(reply => reply.status))).toEqual(new Set([200]))
  expect((await api.get(`/jobs?workflow_id=${id}`)).body.total_count).toBe(50)
})
