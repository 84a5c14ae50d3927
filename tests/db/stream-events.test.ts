import { afterAll, beforeAll, expect, it } from 'vitest'
import { appendEvents } from '../../db/stream-events.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

it('appendEvents() numbers the events of each workflow on, in the order given', async () => {
  await t.db.write(() => appendEvents(1, 10, [{ type: 'a' }, { type: 'b', jobId: 7, data: { x: 1 } }]))
  await t.db.write(() => appendEvents(2, 11, [{ type: 'c' }]))
  await t.db.write(() => appendEvents(1, 12, []))
  await t.db.write(() => appendEvents(1, 13, [{ type: 'd' }]))
  const rows = await t.db.read(() => all('SELECT * FROM stream_event ORDER BY workflow_id, seq'))
  expect(rows).toEqual([
    { workflow_id: 1, seq: 1, at: 10, type: 'a', job_id: null, data: null },
    { workflow_id: 1, seq: 2, at: 10, type: 'b', job_id: 7, data: '{"x":1}' },
    { workflow_id: 1, seq: 3, at: 13, type: 'd', job_id: null, data: null },
    { workflow_id: 2, seq: 1, at: 11, type: 'c', job_id: null, data: null },
  ])
})
