import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pathSafeId } from '../../runner/schedulers/ids.ts'
import { submitOnce } from '../../runner/schedulers/submit.ts'
import type { AllocationRequest, ListedElement, SchedulerName } from '../../runner/schedulers/types.ts'
import { countElements, verdictOf } from '../../runner/schedulers/verdict.ts'
import { type Cluster, createSite, listUntil, type Site, submitted, type Traits } from './cluster.ts'

/** What every implementation has to do, whatever it talks to (hpc.md 8). */
export function describeAdapter(
  title: string,
  { name, refused, throttles, twoNodes }: Traits,
  open: () => Cluster,
): void {
  describe(title, () => {
    let cluster: Cluster
    let site: Site
    beforeAll(() => {
      cluster = open()
    })
    afterAll(() => cluster?.close())
    beforeEach(() => {
      site = createSite()
    })
    afterEach(() => {
      site.open()
      site.remove()
    })

    const ended = (rows: readonly ListedElement[]): boolean => rows.every(row => row.state === 'gone')

    it('runs an array of elements with worker numbers from 1, each once, and then has proof that it is gone', async () => {
      const { scheduler } = cluster
      const request = site.request({ array: { first: 1, last: 4 } })
      const id = await submitted(scheduler, request)
      const acknowledgedAtMs = Date.now()
      expect(verdictOf(await scheduler.list({ ids: [id] }), { id, acknowledgedAtMs: Date.now() + 60_000 })).not.toBe(
        'gone',
      )
      site.open()
      const listing = await listUntil(scheduler, id, ended)
      expect(site.ended()).toEqual([1, 2, 3, 4])
      expect(verdictOf(listing, { id, acknowledgedAtMs })).toBe('gone')
      expect(verdictOf(listing, { id: `${id}0`, acknowledgedAtMs })).toBe('unknown')
    })

    it('S31 S34 writes outputs under the name of the allocation, without brackets, one for each element, in any directory', async () => {
      const { scheduler } = cluster
      const directory = join(site.directory, 'with a blank')
      const request = site.request({ directory, array: { first: 1, last: 2 } })
      site.open()
      const id = await submitted(scheduler, request)
      await listUntil(scheduler, id, ended)
      const outputs = () =>
        readdirSync(directory).filter(
          name =>
            name.startsWith(`${request.name}.o`) && readFileSync(join(directory, name), 'utf8').includes('output'),
        )
      for (let tries = 0; outputs().length < 2 && tries < 50; tries++) await sleep(100)
      expect(outputs()).toHaveLength(2)
      expect(outputs().join()).not.toMatch(/[[\]]/)
    })

    it('S31 runs one element as worker 1, as an array of one and as a plain job', async () => {
      const { scheduler } = cluster
      site.open()
      const array = await submitted(scheduler, site.request({ array: { first: 1, last: 1 } }))
      await listUntil(scheduler, array, ended)
      expect(site.ended()).toEqual([1])
      const plain = await submitted(scheduler, site.request())
      await listUntil(scheduler, plain, ended)
      expect(site.ended()).toEqual([1])
    })

    const ifThrottled = throttles ? it : undefined
    ifThrottled?.('S32 keeps to a throttle and changes it while elements run', async () => {
      const { scheduler } = cluster
      const id = await submitted(scheduler, site.request({ array: { first: 1, last: 6, throttle: 2 } }))
      await listUntil(scheduler, id, () => site.started().length === 2)
      expect(countElements(await scheduler.list({ ids: [id] }), id)).toEqual({ queued: 4, running: 2 })
      expect(await scheduler.setThrottle(id, 4)).toEqual({ kind: 'done' })
      await listUntil(scheduler, id, () => site.started().length === 4)
      site.open()
      await listUntil(scheduler, id, ended)
      expect(site.ended()).toEqual([1, 2, 3, 4, 5, 6])
    })

    it('cancels what is queued and leaves what runs; then all; a second time and an unknown id are no error', async () => {
      const { scheduler } = cluster
      const id = await submitted(scheduler, site.request({ array: { first: 1, last: 12 }, cores: 2, ...wide(name) }))
      await listUntil(scheduler, id, rows => site.started().length > 0 && rows.some(row => row.state === 'queued'))
      expect(await scheduler.cancel(id, { kind: 'queued' })).toEqual({ kind: 'done' })
      await listUntil(scheduler, id, rows => !rows.some(row => row.state === 'queued'))
      const { running } = countElements(await scheduler.list({ ids: [id] }), id)
      expect(running).toBeGreaterThan(0)
      expect(running).toBe(site.started().length)
      expect(await scheduler.cancel(id, { kind: 'all' })).toEqual({ kind: 'done' })
      await listUntil(scheduler, id, ended)
      expect(await scheduler.cancel(id, { kind: 'all' })).toEqual({ kind: 'done' })
      expect(site.ended()).toEqual([])
    })

    it('cancels single elements', async () => {
      const { scheduler } = cluster
      const id = await submitted(scheduler, site.request({ array: { first: 1, last: 4 } }))
      await listUntil(scheduler, id, () => site.started().length === 4)
      expect(await scheduler.cancel(id, { kind: 'elements', indices: [1, 2, 4] })).toEqual({ kind: 'done' })
      await listUntil(scheduler, id, rows => countAlive(rows) === 1)
      site.open()
      await listUntil(scheduler, id, ended)
      expect(site.ended()).toEqual([3])
    })

    const ifRefused = refused === undefined ? undefined : it
    ifRefused?.('S35 S36 tells a refusal in the words of the scheduler, and nothing is there afterwards', async () => {
      const { scheduler } = cluster
      const request = site.request(refused)
      const outcome = await scheduler.submit(request)
      expect(outcome.kind).toBe('refused')
      expect(outcome.kind === 'refused' && outcome.message).toMatch(/\w{4}/)
      expect(await scheduler.list({ ids: [], names: [request.name] })).toMatchObject({ kind: 'listed', elements: [] })
      expect((await scheduler.probe(request)).kind).toBe('refused')
    })

    it('checks a good request without leaving anything in the queue', async () => {
      const { scheduler } = cluster
      const request = site.request({ array: { first: 1, last: 3 } })
      expect(await scheduler.probe(request)).toMatchObject({ kind: 'accepted' })
      const listing = await scheduler.list({ ids: [], names: [request.name] })
      expect(listing.kind === 'listed' && listing.elements.filter(row => row.state !== 'gone')).toEqual([])
      expect(readdirSync(site.directory)).not.toContain(`${request.name}.sh`)
    })

    it('S30 has a script of every shape accepted', async () => {
      const { scheduler } = cluster
      const shapes: Partial<AllocationRequest>[] = [
        { array: { first: 1, last: 5, throttle: 2 } },
        { gpus: 1, cores: 2 },
      ]
      if (twoNodes !== undefined) shapes.push({ nodes: 2, perNode: true, ...twoNodes })
      for (const shape of shapes) {
        expect(await scheduler.probe(site.request(shape)), JSON.stringify(shape)).toMatchObject({ kind: 'accepted' })
      }
    })

    it('W11 finds a submission by its name, and takes it for its own instead of submitting again', async () => {
      const { scheduler } = cluster
      const request = site.request({ array: { first: 1, last: 2 } })
      const id = await submitted(scheduler, request)
      const again = await submitOnce(scheduler, request, { attemptedAtMs: Date.now(), clock: Date.now })
      expect(again).toMatchObject({ kind: 'submitted', id })
      site.open()
      await listUntil(scheduler, id, ended)
    })

    it('tells from inside which allocation it is, its worker number, cores and memory, and how long it may run', async () => {
      const { scheduler } = cluster
      const gib = 2 ** 30
      const request = site.request({ array: { first: 1, last: 2 }, cores: 2, memoryBytes: gib })
      const id = await submitted(scheduler, request)
      await listUntil(scheduler, id, () => site.started().length === 2)
      const insides = [1, 2].map(worker => {
        const env = readEnvironment(join(site.directory, 'out', `env.${worker}`))
        return scheduler.inside({ env, read: path => (path === '' ? undefined : readFileSync(path, 'utf8')) })!
      })
      expect(insides.map(inside => inside.worker)).toEqual([1, 2])
      for (const inside of insides) {
        expect(inside).toMatchObject({ scheduler: name, id, cores: 2, nodes: 1, restarts: 0 })
        expect(inside).toMatchObject({ name: request.name, memoryBytes: gib, walltimeSeconds: 600, runnersAtOnce: 2 })
        expect(inside.gpus ?? 0).toBe(0)
      }
      expect(new Set(insides.map(inside => pathSafeId(inside.elementId))).size).toBe(2)
      const left = await scheduler.timeLeft(insides[1]!)
      expect(left.kind).toBe('known')
      const seconds = left.kind === 'known' ? left.seconds! : 0
      expect(seconds).toBeGreaterThan(480)
      // Slurm counts in whole minutes.
      expect(seconds).toBeLessThanOrEqual(660)
      site.open()
      await listUntil(scheduler, id, ended)
    })

    it('S45 S47 draws no conclusion while the scheduler does not answer, nor from a listing older than the submission', async () => {
      const { scheduler } = cluster
      const id = await submitted(scheduler, site.request())
      // A Grid Engine that is killed while it hands a job over leaves it there (`t`) for minutes.
      await listUntil(scheduler, id, rows => rows.some(row => row.state === 'running' && row.word !== 't'))
      const bringBack = cluster.takeAway()
      try {
        const listing = await scheduler.list({ ids: [id] })
        expect(listing).toMatchObject({ kind: 'unknown' })
        expect(verdictOf(listing, { id, acknowledgedAtMs: 0 })).toBe('unknown')
        // Whether this machine took something is known at once.
        const outcome = name === 'local' ? 'refused' : 'unknown'
        expect((await scheduler.submit(site.request())).kind).toBe(outcome)
        expect((await scheduler.cancel(id, { kind: 'all' })).kind).toBe('unknown')
      } finally {
        bringBack()
      }
      site.open()
      const last = await listUntil(scheduler, id, ended)
      expect(verdictOf(last, { id, acknowledgedAtMs: last.startedAtMs + 1 })).toBe('unknown')
    })
  })
}

const countAlive = (rows: readonly ListedElement[]): number =>
  rows.filter(row => row.state === 'running' || row.state === 'queued').length

/** Makes sure that not all of twelve elements can run at once. */
const wide = (name: SchedulerName): Partial<AllocationRequest> =>
  name === 'local' ? { array: { first: 1, last: 12, throttle: 4 } } : {}

const readEnvironment = (path: string): NodeJS.ProcessEnv =>
  Object.fromEntries(
    readFileSync(path, 'utf8')
      .split('\0')
      .filter(entry => entry !== '')
      .map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
