import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { equalJobs, type Job, type Simulation, simulate } from './simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const endsOf = (run: Simulation): string[] => [...run.plane.ends.values()].flat()

/** Quick jobs that make the loop hold work, with long ones among them. */
const mixedJobs = (): Job[] => equalJobs(200, 40, { diesOfTermMs: 5 })

test('S52 drain() takes nothing new, releases what is held, and lets what runs finish', async () => {
  const run = await simulate(mixedJobs())
  await vi.advanceTimersByTimeAsync(500)
  const before = run.launcher.starts.length
  expect([...run.plane.statuses.values()]).toContain('pending')
  run.loop.drain()
  expect(await run.finish(1_000)).toBe('drained')
  // What the launcher had started before it was asked to give it back.
  expect(run.launcher.starts.length - before).toBeLessThanOrEqual(2)
  expect(run.launcher.signals).toEqual([])
  expect(endsOf(run).filter(end => end !== 'completed' && end !== 'released')).toEqual([])
  expect([...run.plane.statuses.values()]).not.toContain('pending')
  expect([...run.plane.statuses.values()]).not.toContain('running')
})

test('S75 stop() sends TERM, and its completions come in one batch; a job that ends with 0 stays completed', async () => {
  const jobs: Job[] = [
    { id: 1, durationMs: 60_000, diesOfTermMs: 10 },
    { id: 2, durationMs: 60_000, diesOfTermMs: 20 },
    { id: 3, durationMs: 1_015 },
  ]
  const run = await simulate(jobs, { capacity: { cores: [0, 1, 2] } })
  await vi.advanceTimersByTimeAsync(1_000)
  run.loop.stop()
  expect(await run.finish(5_000)).toBe('drained')
  expect(run.launcher.signals.map(({ jobId, signal }) => [jobId, signal])).toEqual([
    [1, 'SIGTERM'],
    [2, 'SIGTERM'],
    [3, 'SIGTERM'],
  ])
  const batches = run.plane.exchanges.map(({ request }) => request.completions).filter(batch => batch.length > 0)
  expect(batches.map(batch => batch.map(one => [one.job_id, one.status, one.failure_class]))).toEqual([
    [
      [1, 'terminated', 'allocation_end'],
      [3, 'completed', undefined],
      [2, 'terminated', 'allocation_end'],
    ],
  ])
})

test('S75 stop() kills what does not end within the grace', async () => {
  const run = await simulate([{ id: 1, durationMs: 600_000 }], { graceMs: 7_000 })
  await vi.advanceTimersByTimeAsync(1_000)
  run.loop.stop()
  expect(await run.finish(20_000)).toBe('drained')
  const [term, kill] = run.launcher.signals
  expect([term!.signal, kill!.signal]).toEqual(['SIGTERM', 'SIGKILL'])
  expect(kill!.atMs - term!.atMs).toBeGreaterThanOrEqual(7_000)
  expect(kill!.atMs - term!.atMs).toBeLessThan(7_100)
})

test('S75 a second stop() kills at once', async () => {
  const run = await simulate([{ id: 1, durationMs: 600_000 }])
  await vi.advanceTimersByTimeAsync(1_000)
  run.loop.stop()
  run.loop.stop()
  expect(await run.finish(100)).toBe('drained')
  expect(run.launcher.signals.map(({ signal }) => signal)).toEqual(['SIGTERM', 'SIGKILL'])
})

test('stop() ends within moments though the control plane is away', async () => {
  const run = await simulate([{ id: 1, durationMs: 600_000, diesOfTermMs: 5 }], {
    weather: n => (n > 0 ? 'unsent' : undefined),
  })
  // By now the pauses between two tries have grown to half a minute.
  await vi.advanceTimersByTimeAsync(200_000)
  run.loop.stop()
  expect(await run.finish(1_000)).toBe('offline')
  expect(run.launcher.signals.map(({ signal }) => signal)).toEqual(['SIGTERM'])
})

test('stop() ends a job, too, that the launcher starts from its queue meanwhile', async () => {
  // Of the short jobs some are queued behind those that run; they would go on for a minute.
  const jobs = equalJobs(60, 60_000, { diesOfTermMs: 1 }).map(job => ({
    ...job,
    durationMs: job.id <= 30 ? 10 : 60_000,
  }))
  for (let atMs = 100; atMs < 170; atMs += 7) {
    vi.setSystemTime(0)
    const run = await simulate(jobs)
    await vi.advanceTimersByTimeAsync(atMs)
    run.loop.stop()
    expect(await run.finish(2_000), `stopped after ${atMs} ms`).toBe('drained')
    expect(endsOf(run).filter(end => !['completed', 'released', 'terminated'].includes(end))).toEqual([])
  }
})

test('createLoop() ends a job of a canceled workflow and reports it as canceled', async () => {
  const run = await simulate([{ id: 1, durationMs: 600_000, diesOfTermMs: 5 }])
  await vi.advanceTimersByTimeAsync(1_000)
  run.plane.isCanceled = true
  expect(await run.finish(5_000)).toBe('canceled')
  expect(endsOf(run)).toEqual(['canceled'])
})

test('createLoop() ends a job at its time limit: TERM, then KILL after the grace, and calls it a timeout', async () => {
  const run = await simulate([{ id: 1, durationMs: 600_000, timeLimitSeconds: 20 }], { graceMs: 3_000 })
  const started = run.launcher.starts[0]?.atMs ?? Date.now()
  expect(await run.finish(30_000)).toBe('complete')
  expect(run.launcher.signals.map(({ signal }) => signal)).toEqual(['SIGTERM', 'SIGKILL'])
  const [term, kill] = run.launcher.signals.map(({ atMs }) => atMs - started)
  expect(term).toBeGreaterThanOrEqual(20_000)
  expect(term).toBeLessThan(20_100)
  expect(kill).toBeGreaterThanOrEqual(23_000)
  const [entry] = run.plane.exchanges.flatMap(({ request }) => request.completions)
  expect(entry).toMatchObject({ status: 'terminated', failure_class: 'timeout', result: { return_code: 152 } })
})

test('createLoop() takes nothing new once some jobs have to end, ends each at its time, and all at the last', async () => {
  const jobs = equalJobs(4, 600_000, { diesOfTermMs: 5 })
  const askAfterMs = ({ id }: { id: number }) => (id === 1 ? 20_000 : 30_000)
  const run = await simulate(jobs, { ending: { drainAfterMs: 20_000, stopAfterMs: 40_000, askAfterMs } })
  const beganAtMs = Date.now()
  expect(await run.finish()).toBe('drained')
  expect(run.launcher.starts).toHaveLength(2)
  expect(run.launcher.signals.map(({ jobId, atMs }) => [jobId, Math.round((atMs - beganAtMs) / 1_000)])).toEqual([
    [1, 20],
    [2, 30],
  ])
})

test('createLoop() stops at the end of its own time', async () => {
  const run = await simulate(equalJobs(50, 10_000, { diesOfTermMs: 5 }), { endAfterMs: 25_000 })
  expect(await run.finish(26_000)).toBe('drained')
  expect(endsOf(run).filter(end => end === 'terminated')).toHaveLength(2)
  const limits = run.plane.exchanges.map(({ request }) => request.claim?.time_limit).filter(Boolean)
  expect(limits[0]).toBe('PT145S')
})

test('createLoop() ends with no_room when nothing that is left fits here and nobody else works', async () => {
  const run = await simulate([...equalJobs(3, 50), { id: 4, durationMs: 50, cpus: 8 }])
  expect(await run.finish(10_000)).toBe('no_room')
  expect(run.plane.statuses.get(4)).toBe('ready')
})

test('createLoop() ends as idle when what is left fits another node that is there', async () => {
  const run = await simulate([...equalJobs(3, 50), { id: 4, durationMs: 50, cpus: 8 }])
  run.plane.otherNodes = 1
  expect(await run.finish(10_000)).toBe('idle')
})

test('createLoop() tells of a lost launcher only after its own request is answered, and starts nothing any more', async () => {
  const run = await simulate(equalJobs(40, 30), { latencyMs: 200 })
  await vi.advanceTimersByTimeAsync(500)
  const sent = run.plane.exchanges.length
  run.launcher.die()
  expect(await run.finish(5_000)).toBe('launcher_lost')
  const lastReply = run.plane.exchanges[sent - 1]!.sentAtMs + 200
  expect(Date.now()).toBeGreaterThanOrEqual(lastReply)
  expect(run.plane.exchanges).toHaveLength(sent)
})

test('run() begins no conversation once its end is decided: a claim answered later would be nobody’s', async () => {
  // Looking at the workflow takes longer than the pause before the next claim.
  const latencyMs = 900
  const run = await simulate(equalJobs(4, 40), { latencyMs })
  expect(await run.finish(60_000)).toBe('complete')
  const last = Math.max(...run.plane.exchanges.map(one => one.sentAtMs))
  expect(Date.now() - last).toBeGreaterThanOrEqual(latencyMs)
})
