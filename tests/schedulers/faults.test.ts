import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHtcondor } from '../../runner/schedulers/htcondor.ts'
import { createPbs } from '../../runner/schedulers/pbs.ts'
import { hostRuntime, type SchedulerRuntime } from '../../runner/schedulers/runtime.ts'
import { submitOnce } from '../../runner/schedulers/submit.ts'
import { countElements, elementsOf, verdictOf } from '../../runner/schedulers/verdict.ts'
import { createSite, listUntil, type Site, submitted } from './cluster.ts'
import { type FakeScheduler, startFake } from './fakes/start.ts'

let fake: FakeScheduler
let site: Site
beforeEach(() => {
  site = createSite()
})
afterEach(() => {
  fake.close()
  site.remove()
})

/** Answers that do not come are not waited for. */
function impatient(env: NodeJS.ProcessEnv): SchedulerRuntime {
  const runtime = hostRuntime(env)
  return { ...runtime, run: (argv, options) => runtime.run(argv, { ...options, timeoutMs: 1000 }) }
}

const openPbs = (kind: 'pbs' | 'torque' = 'pbs') => {
  fake = startFake(kind)
  return createPbs(impatient(fake.env), kind)
}
const openHtcondor = () => {
  fake = startFake('htcondor')
  return createHtcondor(impatient(fake.env))
}
const ARRAY = { array: { first: 1, last: 3 } }
const isOver = (rows: readonly { state: string }[]) => rows.every(row => row.state === 'gone')

describe('PBS', () => {
  it('W11 adopts an array whose submission seemed to fail, and has one array in the end', async () => {
    const scheduler = openPbs()
    const request = site.request(ARRAY)
    fake.fault('timeout_but_submitted')
    expect((await scheduler.submit(request)).kind).toBe('unknown')
    fake.fault(undefined)
    const outcome = await submitOnce(scheduler, request, { attemptedAtMs: Date.now(), clock: Date.now })
    expect(outcome).toMatchObject({ kind: 'submitted', id: '1[].fake' })
    expect(fake.jobs()).toHaveLength(1)
  })

  it.each(['refused', 'errno111', 'hang', 'empty'])('W6 concludes nothing from %s', async fault => {
    const scheduler = openPbs()
    const id = await submitted(scheduler, site.request())
    fake.fault(fault)
    expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: 0 })).toBe('unknown')
    fake.fault(undefined)
    expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: 0 })).toBe('running')
  })

  it('takes no element for gone in a listing that was cut off', async () => {
    const scheduler = openPbs()
    const id = await submitted(scheduler, site.request(ARRAY))
    fake.fault('truncated')
    expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: 0 })).not.toBe('gone')
  })

  it('has proof of an end without history, and in the history', async () => {
    const scheduler = openPbs()
    site.open()
    const id = await submitted(scheduler, site.request(ARRAY))
    await listUntil(scheduler, id, isOver)
    expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: 0 })).toBe('gone')
    fake.fault('no_history')
    expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: 0 })).toBe('gone')
  })

  it('sees elements start again under their ids after the server has', async () => {
    const scheduler = openPbs()
    const id = await submitted(scheduler, site.request(ARRAY))
    await listUntil(scheduler, id, () => site.started().length === 3)
    fake.fault('server_restart')
    await listUntil(scheduler, id, () => fake.jobs()[0]!.elements.every(({ starts }) => starts === 2))
    expect(countElements(await scheduler.list({ ids: [id] }), id)).toEqual({ queued: 0, running: 3 })
  })

  it('ends at the walltime, and forgets what Torque has forgotten', async () => {
    const scheduler = openPbs('torque')
    const id = await submitted(scheduler, site.request({ walltimeSeconds: 60 }))
    await listUntil(scheduler, id, () => site.started().length === 1)
    fake.forward(61)
    const listing = await listUntil(scheduler, id, isOver)
    expect(elementsOf(listing, id)).toHaveLength(1)
    fake.forward(301)
    const later = await scheduler.list({ ids: [id] })
    expect(elementsOf(later, id)).toEqual([])
    expect(verdictOf(later, { id, acknowledgedAtMs: 0 })).toBe('gone')
  })

  it('refuses a walltime over the limit of the queue before anything is submitted', async () => {
    const scheduler = openPbs()
    const outcome = await scheduler.probe(site.request({ queue: 'short', walltimeSeconds: 3601 }))
    expect(outcome).toEqual({ kind: 'refused', message: 'the walltime of 3601 s is over the 3600 s of short' })
    expect(await scheduler.probe(site.request({ array: { first: 1, last: 10_001 } }))).toMatchObject({
      kind: 'refused',
    })
    expect(fake.jobs()).toEqual([])
  })
})

describe('HTCondor', () => {
  it('sees an evicted element wait and run again under its id', async () => {
    const scheduler = openHtcondor()
    const id = await submitted(scheduler, site.request(ARRAY))
    await listUntil(scheduler, id, () => site.started().length === 3)
    fake.fault('evict')
    await listUntil(scheduler, id, () => fake.jobs()[0]!.elements.every(({ starts }) => starts === 2))
    site.open()
    await listUntil(scheduler, id, isOver)
  })

  it('takes an element for over that the scheduler holds for a fault, and says that it is stuck', async () => {
    const scheduler = openHtcondor()
    const id = await submitted(scheduler, site.request(ARRAY))
    await listUntil(scheduler, id, () => site.started().length === 3)
    fake.fault('hold')
    const listing = await listUntil(scheduler, id, rows => rows.length === 3 && rows.every(row => row.stuck))
    expect(verdictOf(listing, { id, acknowledgedAtMs: 0 })).toBe('gone')
    expect(elementsOf(listing, id)[0]!.reason).toContain('could not go on')
    expect(await scheduler.cancel(id, { kind: 'all' })).toEqual({ kind: 'done' })
    expect(elementsOf(await scheduler.list({ ids: [id] }), id)).toEqual([])
  })

  it('leaves nothing on hold that ran longer than its walltime', async () => {
    const scheduler = openHtcondor()
    const id = await submitted(scheduler, site.request({ walltimeSeconds: 60 }))
    await listUntil(scheduler, id, () => site.started().length === 1)
    fake.forward(61)
    await listUntil(scheduler, id, rows => rows.length === 0)
    expect(existsSync(join(site.directory, 'out', 'ended.1'))).toBe(false)
  })

  it('S32 submits no more at once than its throttle', async () => {
    const scheduler = openHtcondor()
    await submitted(scheduler, site.request({ array: { first: 1, last: 20, throttle: 8 } }))
    expect(fake.jobs()[0]!.elements).toHaveLength(8)
  })

  it('W6 concludes nothing from silence', async () => {
    const scheduler = openHtcondor()
    const id = await submitted(scheduler, site.request())
    fake.fault('hang')
    expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: 0 })).toBe('unknown')
  })
})
