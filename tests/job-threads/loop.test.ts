import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { finalise } from '../../runner/finalise.ts'
import type { Execute } from '../../runner/job-threads/finalisers.ts'
import { equalJobs, type Simulation, simulate } from '../runner/simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

/** Finalisers that take as long as this for each job, any number at once. */
const taking =
  (msOf: (jobId: number) => number): Execute =>
  async ({ attempt, end, reason }) => {
    await new Promise(resolve => setTimeout(resolve, msOf(attempt.jobId)))
    return { entry: finalise(attempt, end, reason) }
  }

const completionsIn = (run: Simulation): { jobId: number; atMs: number }[] =>
  run.plane.exchanges.flatMap(({ sentAtMs, request }) =>
    request.completions.map(entry => ({ jobId: entry.job_id, atMs: sentAtMs })),
  )

test('S79 createLoop() reports nine quick jobs within a second of their exits while one is finalised for 30 s', async () => {
  vi.setSystemTime(0)
  const run = await simulate(equalJobs(10, 1_000), {
    capacity: { slots: 10 },
    finalising: { execute: taking(jobId => (jobId === 1 ? 30_000 : 10)) },
  })
  expect(await run.finish()).toBe('complete')
  const told = completionsIn(run)
  expect(told.filter(({ jobId }) => jobId !== 1).map(({ atMs }) => atMs <= 2_100)).toEqual(Array(9).fill(true))
  expect(told.at(-1)).toMatchObject({ jobId: 1 })
})

test('createLoop() uses the cores of a job that is being finalised', async () => {
  vi.setSystemTime(0)
  const run = await simulate(equalJobs(4, 1_000), {
    capacity: { slots: 2 },
    finalising: { execute: taking(() => 20_000) },
  })
  await run.finish()
  expect(run.launcher.starts.at(-1)!.atMs).toBeLessThan(20_000)
})

test('createLoop() renews the lease of a job that is being finalised', async () => {
  vi.setSystemTime(0)
  const run = await simulate(equalJobs(1, 1_000), { finalising: { execute: taking(() => 300_000) } })
  await run.finish()
  expect(run.plane.heartbeats.length).toBeGreaterThan(5)
  for (const { claims } of run.plane.heartbeats) expect(claims).toMatchObject([{ job_id: 1, running: false }])
})

test.each(['drain', 'stop'] as const)(
  'S80 %s() waits for finalisers that are under way, tells what they made, and ends',
  async how => {
    vi.setSystemTime(0)
    const run = await simulate(equalJobs(6, 500, { diesOfTermMs: 10 }), {
      capacity: { slots: 2 },
      finalising: { execute: taking(() => 8_000) },
    })
    await vi.advanceTimersByTimeAsync(700)
    run.loop[how]()
    expect(await run.finish()).toBe('drained')
    const started = run.launcher.starts.map(({ jobId }) => jobId)
    expect(completionsIn(run).map(({ jobId }) => jobId)).toEqual(expect.arrayContaining(started))
    expect(Date.now()).toBeGreaterThanOrEqual(8_000)
    expect([...run.plane.ends.values()].filter(outcomes => outcomes.length !== 1)).toEqual([])
  },
)

test('S80 a control plane that stays away does not end the loop before its finalisers have ended', async () => {
  vi.setSystemTime(0)
  const made: number[] = []
  const run = await simulate(equalJobs(2, 500), {
    weather: n => (n === 0 ? undefined : 'unsent'),
    offlineAtMostMs: 1_000,
    finalising: {
      execute: taking(jobId => jobId * 10_000),
      bookkeep: ({ entry }) => void made.push(entry.job_id),
    },
  })
  expect(await run.finish()).toBe('offline')
  expect(made).toEqual([1, 2])
})
