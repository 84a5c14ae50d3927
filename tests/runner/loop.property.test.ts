import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Job, simulate } from './simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const CORES = [0, 1, 2]
const GPUS = ['0', '1']

const jobArbitrary = fc.record({
  // Mostly short, so that work is held, with long ones among them.
  durationMs: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) }, fc.integer({ min: 100, max: 5_000 })),
  cpus: fc.integer({ min: 1, max: 3 }),
  gpus: fc.constantFrom(0, 0, 0, 1, 2),
  code: fc.constantFrom(0, 0, 0, 1),
  diesOfTermMs: fc.constantFrom(1, 30, undefined),
  waitsFor: fc.option(fc.nat(), { freq: 3, nil: undefined }),
})

const jobsArbitrary = fc.array(jobArbitrary, { minLength: 1, maxLength: 60 }).map(rows =>
  rows.map(
    ({ waitsFor, ...row }, index): Job => ({
      ...row,
      id: index + 1,
      // A failed job would leave its followers blocked for ever.
      after:
        waitsFor === undefined || index === 0 || rows[waitsFor % index]!.code !== 0
          ? undefined
          : [(waitsFor % index) + 1],
    }),
  ),
)

const runArbitrary = fc.record({
  jobs: jobsArbitrary,
  latencyMs: fc.constantFrom(1, 7, 60),
  slots: fc.constantFrom(undefined, undefined, 2, 5),
  /** Which of the first requests are lost, and how. */
  weather: fc.array(fc.constantFrom(undefined, undefined, undefined, 'unsent' as const, 'unanswered' as const), {
    maxLength: 30,
  }),
  interrupt: fc.option(fc.record({ atMs: fc.integer({ min: 1, max: 400 }), how: fc.constantFrom('drain', 'stop') }), {
    nil: undefined,
  }),
})

test('createLoop() ends, every claim of it in exactly one completion or release, and nothing is lent twice', async () => {
  await fc.assert(
    fc.asyncProperty(runArbitrary, async ({ jobs, latencyMs, slots, weather, interrupt }) => {
      vi.setSystemTime(0)
      const run = await simulate(jobs, {
        latencyMs,
        weather: n => weather[n],
        capacity: { cores: CORES, gpus: GPUS, slots },
        graceMs: 200,
      })
      if (interrupt !== undefined) {
        await vi.advanceTimersByTimeAsync(interrupt.atMs)
        run.loop[interrupt.how as 'drain' | 'stop']()
      }
      const end = await run.finish()
      if (interrupt === undefined) expect(end).toBe('complete')
      const ends = [...run.plane.ends.values()].map(outcomes => outcomes.length)
      // Stopped while the control plane does not answer: the next runner of this directory clears up.
      expect(ends.filter(count => count > 1 || (count < 1 && end !== 'offline'))).toEqual([])
      expect(run.launcher.shared).toEqual([])
      expect(run.launcher.mostAtOnce).toBeLessThanOrEqual(slots ?? CORES.length)
      expect(run.plane.mostAtOnce).toBe(1)
      const free = run.ledger.free()
      expect(free).toEqual(run.ledger.total)
    }),
    { numRuns: 300 },
  )
}, 120_000)
