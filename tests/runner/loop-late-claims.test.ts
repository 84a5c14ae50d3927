import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { equalJobs, simulate } from './simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 }))
afterEach(() => void vi.useRealTimers())

const LEASE_MS = 120_000
const LONG_MS = 600_000

/** A claim that took effect at its first try, and whose replies are lost for so long. */
const unheardFor = (ms: number) => () => (Date.now() < ms ? ('unanswered' as const) : undefined)

test('createLoop() counts the lease of a claim from its first try, not from the reply', async () => {
  const run = await simulate(equalJobs(1, LONG_MS), { weather: unheardFor(70_000) })
  expect(await run.finish()).toBe('complete')
  const grantedAtMs = run.plane.exchanges[0]!.sentAtMs
  expect(run.launcher.starts[0]!.atMs).toBeGreaterThan(70_000)
  expect(run.plane.heartbeats[0]!.atMs - grantedAtMs).toBeLessThan(LEASE_MS)
})

test('createLoop() starts nothing of a claim whose lease may have lapsed before it is renewed', async () => {
  const run = await simulate(equalJobs(1, LONG_MS), { weather: unheardFor(150_000) })
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.starts[0]!.atMs).toBeGreaterThanOrEqual(run.plane.heartbeats[0]!.atMs)
})

test('createLoop() never starts a job that somebody else has by the time its claim is heard of', async () => {
  const run = await simulate(equalJobs(1, LONG_MS), { weather: unheardFor(150_000) })
  run.plane.lost.add(1)
  await vi.advanceTimersByTimeAsync(400_000)
  expect(run.plane.heartbeats.length).toBeGreaterThan(0)
  expect(run.launcher.starts).toEqual([])
})
