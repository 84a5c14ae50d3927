import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Exchange } from './simulated-control-plane.ts'
import { equalJobs, simulate } from './simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const completionsOf = (exchanges: readonly Exchange[]): number[] =>
  exchanges.map(({ request }) => request.completions.length).filter(count => count > 0)

test('createLoop() has at most one request under way', async () => {
  const run = await simulate(equalJobs(300, 9), { latencyMs: 40 })
  expect(await run.finish()).toBe('complete')
  expect(run.plane.mostAtOnce).toBe(1)
})

test('S52 createLoop() sends the completions of jobs that end together in one request', async () => {
  const run = await simulate(equalJobs(4, 5_000), { capacity: { cores: [0, 1, 2, 3] } })
  expect(await run.finish()).toBe('complete')
  expect(completionsOf(run.plane.exchanges)).toEqual([4])
})

test('createLoop() sends what has exited during a request together in the next one', async () => {
  const jobs = equalJobs(4, 5_000).map(job => ({ ...job, durationMs: 5_000 + 10 * job.id }))
  const run = await simulate(jobs, { capacity: { cores: [0, 1, 2, 3] }, latencyMs: 100, lookMs: 60_000 })
  expect(await run.finish()).toBe('complete')
  expect(completionsOf(run.plane.exchanges)).toEqual([1, 3])
})

test('S69 createLoop() reports an exit at once though the next poll is far away', async () => {
  const run = await simulate([{ id: 1, durationMs: 300_000 }], { capacity: { cores: [0] } })
  await vi.advanceTimersByTimeAsync(299_000)
  const before = run.plane.exchanges.length
  await vi.advanceTimersByTimeAsync(1_005)
  const [told] = run.plane.exchanges.slice(before)
  expect(told!.request.completions).toHaveLength(1)
  expect(told!.sentAtMs - run.launcher.starts[0]!.atMs).toBeLessThanOrEqual(300_002)
})

test('createLoop() under full load sends one request in 20 ms, and no completion later than 50 ms after its exit', async () => {
  const run = await simulate(equalJobs(2_000, 5))
  await vi.advanceTimersByTimeAsync(1_000)
  const seen = run.plane.exchanges.slice()
  await run.finish()
  const loaded = seen.filter(({ request }) => request.completions.length > 0).slice(20)
  const gaps = loaded.slice(1).map(({ sentAtMs }, index) => sentAtMs - loaded[index]!.sentAtMs)
  expect(gaps.length).toBeGreaterThan(10)
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(20)
  const ages = loaded.flatMap(({ sentAtMs, request }) =>
    request.completions.map(one => sentAtMs - one.phase_times.exited),
  )
  expect(Math.max(...ages)).toBeLessThanOrEqual(50)
})

test('createLoop() does not gather while a slot is free', async () => {
  const run = await simulate(equalJobs(3, 5), { capacity: { cores: [0, 1, 2, 3] } })
  await run.finish()
  const ages = run.plane.exchanges.flatMap(({ sentAtMs, request }) =>
    request.completions.map(one => sentAtMs - one.phase_times.exited),
  )
  expect(Math.max(...ages)).toBeLessThanOrEqual(1)
})

test('createLoop() tells of a held job that started and ended between two requests in its completion alone', async () => {
  const run = await simulate(equalJobs(400, 5))
  await run.finish()
  const ends = new Set<number>()
  for (const { request } of run.plane.exchanges) {
    for (const one of request.completions) ends.add(one.job_id)
    for (const one of request.started ?? []) expect(ends).not.toContain(one.job_id)
  }
})

test('S57 createLoop() sends a request whose reply was lost again, with its claim_id and completions', async () => {
  const run = await simulate(equalJobs(40, 30), { weather: n => (n % 5 === 4 ? 'unanswered' : undefined) })
  expect(await run.finish()).toBe('complete')
  const { exchanges } = run.plane
  const claims = exchanges.map(({ request }) => request.claim?.claim_id).filter(id => id !== undefined)
  expect(new Set(claims).size).toBeLessThan(claims.length)
  expect(run.launcher.starts).toHaveLength(40)
  expect([...run.plane.ends.values()].every(ends => ends.length === 1)).toBe(true)
})

test('S71 createLoop() asks ever more rarely while there is nothing, up to 30 s, and starts anew after progress', async () => {
  // The blocked job keeps the workflow open; the long one ends after a while.
  const run = await simulate([
    { id: 1, durationMs: 200_000 },
    { id: 2, durationMs: 10, after: [1] },
  ])
  await vi.advanceTimersByTimeAsync(199_000)
  const claims = run.plane.exchanges.filter(({ request }) => request.claim !== undefined).map(one => one.sentAtMs)
  const pauses = claims.slice(1).map((at, index) => at - claims[index]!)
  for (const [index, pause] of pauses.slice(1).entries()) {
    const doubled = Math.min(200 * 2 ** index, 30_000)
    expect(pause).toBeGreaterThanOrEqual(doubled * 0.9)
    expect(pause).toBeLessThanOrEqual(doubled * 1.05 + 5)
  }
  expect(Math.max(...pauses)).toBeGreaterThan(25_000)
  expect(await run.finish()).toBe('complete')
})

test('createLoop() does not ask for work to hold again and again when there is none', async () => {
  const run = await simulate([...equalJobs(6, 300), { id: 7, durationMs: 10, after: [1, 2, 3, 4, 5, 6] }])
  expect(await run.finish()).toBe('complete')
  expect(run.plane.exchanges.length).toBeLessThan(20)
})

test('S71 createLoop() polls quickly again after a completion', async () => {
  const run = await simulate([
    { id: 1, durationMs: 100_000 },
    { id: 2, durationMs: 200_000 },
    { id: 3, durationMs: 10, after: [1, 2] },
  ])
  await vi.advanceTimersByTimeAsync(100_100)
  const before = run.plane.exchanges.length
  await vi.advanceTimersByTimeAsync(2_000)
  expect(run.plane.exchanges.length - before).toBeGreaterThanOrEqual(3)
  expect(await run.finish()).toBe('complete')
})

test('S74 createLoop() frees what a job had whose completion is refused, and goes on', async () => {
  const run = await simulate(equalJobs(5, 50, { gpus: 1 }), { capacity: { gpus: ['0'] } })
  run.plane.refused.add(1)
  // For the control plane that job still runs somewhere.
  expect(await run.finish()).toBe('idle')
  expect(run.launcher.starts.map(({ jobId, gpus }) => [jobId, ...gpus])).toEqual([1, 2, 3, 4, 5].map(id => [id, '0']))
  expect([2, 3, 4, 5].map(id => run.plane.statuses.get(id))).toEqual(Array(4).fill('completed'))
  expect(run.ledger.free()).toEqual(run.ledger.total)
})

test('S101 createLoop() claims in the very request that reports a completion, and waits after one that brought starts only', async () => {
  const run = await simulate(equalJobs(3, 1_000), { capacity: { cores: [0] } })
  await run.finish()
  const reports = run.plane.exchanges.filter(({ request }) => request.completions.length > 0)
  expect(reports.slice(0, 2).every(({ request }) => request.claim !== undefined)).toBe(true)
  const [first, second] = run.plane.exchanges
  expect(second!.sentAtMs - first!.sentAtMs).toBeGreaterThanOrEqual(1_000)
})

test('createLoop() ends as offline when the control plane stays away, after its jobs have ended', async () => {
  const run = await simulate([{ id: 1, durationMs: 60_000 }], {
    weather: n => (n > 0 ? 'unsent' : undefined),
    offlineAtMostMs: 5_000,
  })
  await vi.advanceTimersByTimeAsync(50_000)
  expect(run.end).toBeUndefined()
  expect(await run.finish()).toBe('offline')
  expect(run.launcher.signals).toEqual([])
  expect(run.states.at(-1)).toMatchObject({ offline: true, finished: 1 })
})

test('S72 createLoop() starts nothing more while the control plane is away for too long, and resumes when it is back', async () => {
  const away = { from: 1_000, to: 120_000 }
  const started = Date.now()
  const isAway = (): boolean => Date.now() - started >= away.from && Date.now() - started < away.to
  const run = await simulate(
    equalJobs(200, 900).map(job => ({ ...job, durationMs: job.id === 1 ? 150_000 : 900 })),
    {
      weather: () => (isAway() ? 'unsent' : undefined),
      offlineAtMostMs: 10_000,
    },
  )
  expect(await run.finish()).toBe('complete')
  const starts = run.launcher.starts.map(({ atMs }) => atMs - started)
  expect(starts.filter(at => at > away.from + 15_000 && at < away.to)).toEqual([])
  expect(starts.filter(at => at > away.to).length).toBeGreaterThan(100)
})
