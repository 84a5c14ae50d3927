import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFrameReader } from '../../api/event-frames.ts'
import { createEventWatch } from '../../api/event-watch.ts'
import { appendEvents } from '../../db/stream-events.ts'
import type { Db } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedWorkflow } from '../helpers/seed.ts'
import { watchDb } from '../helpers/wrapped-db.ts'

const LONG_MS = 20_000

let t: TestApp
let stopping: AbortController
let reads = 0
let db: Db
beforeEach(async () => {
  t = await testApp()
  stopping = new AbortController()
  reads = 0
  db = watchDb(t.db, { before: ({ sql }) => void (/^\s*SELECT/i.test(sql) && reads++) })
})
afterEach(async () => {
  stopping.abort()
  await t.close()
})

const append = (workflowId: number, type = 'job_started') =>
  t.db.write(() => appendEvents(workflowId, 1, [{ type, data: { a: 1 } }]))

const never = () => new AbortController().signal

describe('createEventWatch()', () => {
  it('wakes those who wait for the workflow, and nobody else', async () => {
    const watch = createEventWatch(db, stopping.signal)
    const [one, two] = [await seedWorkflow(t), await seedWorkflow(t)]
    const awake: number[] = []
    const wait = (id: number, after = 0) =>
      watch.newer(id, after, LONG_MS, never()).then(news => news && awake.push(id))
    const waits = [wait(one), wait(one), wait(two)]
    await append(one)
    await Promise.all(waits.slice(0, 2))
    expect(awake).toEqual([one, one])
    await append(two)
    await waits[2]
    expect(awake).toEqual([one, one, two])
  })

  it('finds an event that came before it was asked, and waits for one after the number', async () => {
    const watch = createEventWatch(db, stopping.signal)
    const id = await seedWorkflow(t)
    await append(id)
    expect(await watch.newer(id, 0, LONG_MS, never())).toBe(true)
    const second = watch.newer(id, 1, LONG_MS, never())
    await append(id)
    expect(await second).toBe(true)
  })

  it('asks once for a thousand who wait', async () => {
    const watch = createEventWatch(db, stopping.signal)
    const id = await seedWorkflow(t)
    const waits = Array.from({ length: 1_000 }, () => watch.newer(id, 0, LONG_MS, never()))
    reads = 0
    await append(id)
    expect(new Set(await Promise.all(waits))).toEqual(new Set([true]))
    expect(reads).toBeLessThan(5)
  })

  it('reaches each of more workflows than it looks at in one go', async () => {
    const watch = createEventWatch(db, stopping.signal)
    const ids = Array.from({ length: 700 }, (_, k) => k + 10_000)
    const waits = ids.map(id => watch.newer(id, 0, LONG_MS, never()))
    for (const id of [10_000, 10_350, 10_699]) await append(id)
    expect(await Promise.all([waits[0], waits[350], waits[699]])).toEqual([true, true, true])
  })

  it('reaches each of them while others are written to all the time', async () => {
    const watch = createEventWatch(db, stopping.signal)
    const ids = Array.from({ length: 700 }, (_, k) => k + 10_000)
    const waits = ids.map(id => watch.newer(id, 0, LONG_MS, never()))
    const writing = setInterval(() => void append(9_999), 5)
    await append(10_699)
    expect(await waits[699]).toBe(true)
    clearInterval(writing)
  })

  it('lets go after the time, when the caller goes, and when the server stops', async () => {
    const watch = createEventWatch(db, stopping.signal)
    const id = await seedWorkflow(t)
    expect(await watch.newer(id, 0, 10, never())).toBe(false)
    const gone = new AbortController()
    const left = watch.newer(id, 0, LONG_MS, gone.signal)
    gone.abort()
    expect(await left).toBe(false)
    const stopped = watch.newer(id, 0, LONG_MS, never())
    stopping.abort()
    expect(await stopped).toBe(false)
    expect(await watch.newer(id, 0, LONG_MS, never())).toBe(false)
  })
})

describe('createFrameReader()', () => {
  const all = { level: 0, allTypes: true }

  it('reads and writes events once for all that are equally far', async () => {
    const read = createFrameReader(db)
    const id = await seedWorkflow(t)
    await append(id)
    reads = 0
    const first = await read(id, 0, all)
    const second = await read(id, 0, all)
    expect(second.bytes).toBe(first.bytes)
    expect(reads).toBe(1)
    expect(new TextDecoder().decode(first.bytes)).toContain('"data":{"a":1}')
  })

  it('gives another stream what it wants, and goes on behind what was kept', async () => {
    const read = createFrameReader(db)
    const id = await seedWorkflow(t)
    await append(id, 'headrace_only')
    expect((await read(id, 0, all)).bytes).toBeDefined()
    expect(await read(id, 0, { level: 0, allTypes: false })).toMatchObject({ bytes: undefined, last: 1, more: false })
    await append(id)
    expect((await read(id, 0, all)).last).toBe(1)
    expect((await read(id, 1, all)).last).toBe(2)
    expect(await read(id, 2, all)).toEqual({ bytes: undefined, last: 2, more: false })
  })

  it('tells that more follow than one step holds', async () => {
    const read = createFrameReader(db)
    const id = await seedWorkflow(t)
    await t.db.write(() => appendEvents(id, 1, Array(501).fill({ type: 'job_started' })))
    expect(await read(id, 0, all)).toMatchObject({ last: 500, more: true })
    expect(await read(id, 500, all)).toMatchObject({ last: 501, more: false })
  })
})
