import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

it('GET summary is answered with 304 and no body while nothing has changed', async () => {
  const id = await seedWorkflow(t)
  const path = `/workflows/${id}/summary`
  const first = await t.get(path)
  const tag = first.headers.get('etag')!
  expect(tag).toMatch(/^"[0-9a-f]+"$/)
  for (const header of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const known = await t.get(path, { 'if-none-match': header })
    expect([known.status, known.body, known.headers.get('etag')]).toEqual([304, undefined, tag])
  }
  expect((await t.get(path, { 'if-none-match': '"other"' })).body).toEqual(first.body)
  await seedJob(t, id)
  const changed = await t.get(path, { 'if-none-match': tag })
  expect([changed.status, changed.body.total_jobs]).toEqual([200, 1])
  expect(changed.headers.get('etag')).not.toBe(tag)
})
