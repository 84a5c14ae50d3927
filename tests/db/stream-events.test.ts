import { afterAll, beforeAll, expect, it } from 'vitest'
import { appendEvents, listStreamEvents, purgeOldEvents } from '../../db/stream-events.ts'
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

it('appendEvents() writes events that differ in nothing but their job as it writes any', async () => {
  const id = 90
  const data = { status: 'completed', return_code: 0 }
  const job = (jobId: number | undefined, more: object = {}) => ({ type: 'job_completed', jobId, data, ...more })
  await t.db.write(() => appendEvents(id, 1, [job(3), job(1), job(undefined)]))
  await t.db.write(() => appendEvents(id, 2, [job(5), job(6, { type: 'job_failed' }), job(7, { data: { x: 'a"b' } })]))
  await t.db.write(() => appendEvents(id, 3, [{ type: 'note' }, { type: 'note', data: undefined }]))
  const rows = await t.db.read(() => all('SELECT seq, at, type, job_id, data FROM stream_event WHERE workflow_id = 90'))
  const text = JSON.stringify(data)
  expect(rows).toEqual([
    { seq: 1, at: 1, type: 'job_completed', job_id: 3, data: text },
    { seq: 2, at: 1, type: 'job_completed', job_id: 1, data: text },
    { seq: 3, at: 1, type: 'job_completed', job_id: null, data: text },
    { seq: 4, at: 2, type: 'job_completed', job_id: 5, data: text },
    { seq: 5, at: 2, type: 'job_failed', job_id: 6, data: text },
    { seq: 6, at: 2, type: 'job_completed', job_id: 7, data: '{"x":"a\\"b"}' },
    { seq: 7, at: 3, type: 'note', job_id: null, data: null },
    { seq: 8, at: 3, type: 'note', job_id: null, data: null },
  ])
})

const DAY_MS = 24 * 3_600_000

it('purgeOldEvents() removes what is older than 30 days, but never the newest, so that numbers go on', async () => {
  const [old, mixed] = [101, 102]
  const append = (id: number, at: number) => t.db.write(() => appendEvents(id, at, [{ type: 'x' }, { type: 'y' }]))
  await append(old, 0)
  await append(mixed, 0)
  await append(mixed, 20 * DAY_MS)
  const seqs = async (id: number) => (await t.db.read(() => listStreamEvents(id, 0, 99))).map(row => row.seq)
  await purgeOldEvents(t.db, 30 * DAY_MS)
  expect([await seqs(old), await seqs(mixed)]).toEqual([
    [1, 2],
    [1, 2, 3, 4],
  ])
  await purgeOldEvents(t.db, 30 * DAY_MS + 1)
  expect([await seqs(old), await seqs(mixed)]).toEqual([[2], [3, 4]])
  const writes = t.db.writeTransactions
  await purgeOldEvents(t.db, 30 * DAY_MS + 1)
  expect(t.db.writeTransactions).toBe(writes)
  await append(old, 40 * DAY_MS)
  expect(await seqs(old)).toEqual([2, 3, 4])
})

it('purgeOldEvents() removes more than fit in one transaction', async () => {
  const id = 103
  const many = Array.from({ length: 12_000 }, () => ({ type: 'x' }))
  await t.db.write(() => appendEvents(id, 0, many))
  await purgeOldEvents(t.db, 31 * DAY_MS)
  expect((await t.db.read(() => listStreamEvents(id, 0, 99))).map(row => row.seq)).toEqual([12_000])
})
