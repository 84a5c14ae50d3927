import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { equalJobs, simulate } from './simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

test('createLoop() runs all jobs and never more at once than there are cores', async () => {
  const run = await simulate(equalJobs(200, 7))
  expect(await run.finish()).toBe('complete')
  expect([...run.plane.statuses.values()].filter(status => status === 'completed')).toHaveLength(200)
  expect(run.launcher.mostAtOnce).toBe(2)
  expect(run.launcher.shared).toEqual([])
})

test('createLoop() in queue-depth mode runs as many as there are slots, whatever they require', async () => {
  const run = await simulate(equalJobs(40, 20, { cpus: 64 }), { capacity: { slots: 5 } })
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.mostAtOnce).toBe(5)
})

test('createLoop() in queue-depth mode lends each GPU to one job at a time', async () => {
  const run = await simulate(equalJobs(30, 20, { gpus: 1 }), { capacity: { slots: 5, gpus: ['0', '1'] } })
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.shared).toEqual([])
  expect(run.launcher.starts.every(({ gpus }) => gpus.length === 1)).toBe(true)
  expect(run.launcher.mostAtOnce).toBe(2)
})

test('createLoop() starts a held job the moment a slot frees, without a request in between', async () => {
  const run = await simulate(equalJobs(60, 30), { latencyMs: 8 })
  expect(await run.finish()).toBe('complete')
  const { starts } = run.launcher
  // While nothing has been learnt about the jobs' length, none are held; after that the slots never wait.
  const first = starts.findIndex((_, index) => index >= 2 && starts[index]!.atMs === starts[index - 2]!.atMs + 30)
  expect(first).toBeGreaterThan(0)
  const gaps = starts.slice(first, -4).map((start, index) => start.atMs - starts[first + index - 2]!.atMs)
  expect(new Set(gaps)).toEqual(new Set([30]))
})

test('createLoop() holds nothing when jobs last a second or more', async () => {
  const run = await simulate(equalJobs(12, 1_500))
  expect(await run.finish()).toBe('complete')
  expect(run.plane.exchanges.filter(({ request }) => request.claim?.hold !== undefined)).toEqual([])
})

test('S52 createLoop() holds at most 100 ms of work, and at most 64 jobs for each that runs', async () => {
  const holdsOf = async (durationMs: number, jobs: number): Promise<number> => {
    const run = await simulate(equalJobs(jobs, durationMs))
    await run.finish()
    const wanted = run.plane.exchanges.map(({ request }) => request.claim?.hold?.jobs ?? 0)
    const waiting = run.states.map(state => state.held)
    return Math.max(...wanted, ...waiting)
  }
  expect(await holdsOf(20, 300)).toBe(10)
  expect(await holdsOf(1, 600)).toBeLessThanOrEqual(128)
})

test('S52 createLoop() releases held work that has not started after 2 s', async () => {
  // Two quick jobs teach it that jobs are short; then both slots are busy for long and what is held cannot start.
  const run = await simulate([...equalJobs(8, 50), ...equalJobs(2, 60_000, {}, 9), ...equalJobs(6, 50, {}, 11)])
  await vi.advanceTimersByTimeAsync(3_000)
  expect([...run.plane.statuses.values()].filter(status => status === 'pending')).toEqual([])
  const released = [...run.plane.ends.values()].filter(ends => ends.includes('released'))
  expect(released.length).toBeGreaterThan(0)
  expect(await run.finish()).toBe('complete')
})

test('createLoop() never starts a job whose release was not answered: it may be lost to another runner', async () => {
  // After the quick jobs two are held behind long ones; their release takes effect, but its reply is lost again and again.
  let lostFromMs = Infinity
  const run = await simulate([...equalJobs(8, 50), ...equalJobs(2, 3_000, {}, 9), ...equalJobs(2, 50, {}, 11)], {
    weather: () => (Date.now() >= lostFromMs ? 'unanswered' : undefined),
  })
  await vi.advanceTimersByTimeAsync(2_100)
  lostFromMs = Date.now()
  await vi.advanceTimersByTimeAsync(3_000)
  expect(run.launcher.starts.map(({ jobId }) => jobId)).not.toContain(11)
  lostFromMs = Infinity
  expect(await run.finish()).toBe('complete')
  expect([...run.plane.ends.values()].filter(ends => ends.length !== 1)).toEqual([])
})

test('createLoop() moves a job that waits behind a long one to a slot that becomes free', async () => {
  const long = { id: 9, durationMs: 60_000 }
  const run = await simulate([...equalJobs(8, 50), long, ...equalJobs(4, 50, {}, 10)])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(run.launcher.recalled.length).toBeGreaterThan(0)
  const rest = run.launcher.starts.filter(({ jobId }) => jobId > 9)
  expect(rest.map(({ jobId }) => jobId).sort()).toEqual([10, 11, 12, 13])
  // Nobody had to wait for the release after 2 s.
  expect([...run.plane.ends.values()].flat()).not.toContain('released')
  expect(await run.finish()).toBe('complete')
})

test('createLoop() lets a chain of dependants follow each other without polling', async () => {
  const chain = equalJobs(30, 10).map(job => ({ ...job, after: job.id === 1 ? undefined : [job.id - 1] }))
  const started = Date.now()
  const run = await simulate(chain)
  expect(await run.finish()).toBe('complete')
  // Each link: its own 10 ms, a report of 1 ms, a request of 1 ms, and no wait.
  expect(Date.now() - started).toBeLessThan(30 * (10 + 1 + 1 + 3))
})

test('createLoop() runs a job of two cores beside jobs of one core', async () => {
  const mixed = equalJobs(60, 20).map(job => ({ ...job, cpus: job.id % 5 === 0 ? 2 : 1 }))
  const run = await simulate(mixed)
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.shared).toEqual([])
  expect(run.launcher.starts.filter(({ cores }) => cores.length === 2)).toHaveLength(12)
})
