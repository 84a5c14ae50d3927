import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readopt } from '../../runner/readopt.ts'
import { equalJobs, type Simulation, simulate } from './simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const MINUTE_MS = 60_000

test('createLoop() renews the leases of all it holds every 40 s, in one heartbeat', async () => {
  const run = await simulate(equalJobs(2, 5 * MINUTE_MS))
  expect(await run.finish()).toBe('complete')
  expect(run.plane.heartbeats.map(({ claims }) => claims.length)).toEqual([2, 2, 2, 2, 2, 2, 2])
  const gaps = run.plane.heartbeats.slice(1).map(({ atMs }, at) => atMs - run.plane.heartbeats[at]!.atMs)
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(40_000)
  expect(Math.max(...gaps)).toBeLessThan(41_000)
})

test('createLoop() renews a lease of 15 s every 5 s, and says how long it is each time', async () => {
  const run = await simulate(equalJobs(1, MINUTE_MS), { leaseSeconds: 15 })
  expect(await run.finish()).toBe('complete')
  const beats = run.plane.heartbeats
  expect(run.plane.exchanges[0]!.request.claim).toMatchObject({ lease_seconds: 15 })
  expect(new Set(beats.map(({ leaseSeconds }) => leaseSeconds))).toEqual(new Set([15]))
  const gaps = beats.slice(1).map(({ atMs }, at) => atMs - beats[at]!.atMs)
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5_000)
  expect(Math.max(...gaps)).toBeLessThan(6_000)
})

test('createLoop() sends no heartbeat for short jobs, nor while it holds nothing', async () => {
  const run = await simulate(equalJobs(200, 50))
  expect(await run.finish()).toBe('complete')
  expect(run.plane.heartbeats).toEqual([])
})

test('createLoop() ends a job that it has lost, and claims nothing before that copy is gone', async () => {
  const jobs = equalJobs(3, 10 * MINUTE_MS, { diesOfTermMs: 5_000 })
  const run = await simulate(jobs, { capacity: { cores: [0, 1] } })
  await vi.advanceTimersByTimeAsync(1_000)
  run.plane.lost.add(1)
  await vi.advanceTimersByTimeAsync(40_000)
  expect(run.launcher.signals).toMatchObject([{ jobId: 1, signal: 'SIGTERM' }])
  const lostAtMs = run.launcher.signals[0]!.atMs
  await vi.advanceTimersByTimeAsync(10_000)
  const third = run.launcher.starts.find(({ jobId }) => jobId === 3)
  expect(third!.atMs - lostAtMs).toBeGreaterThanOrEqual(5_000)
  run.plane.lost.clear()
  await run.finish()
})

test('createLoop() ends a job alone that was canceled', async () => {
  const run = await simulate(equalJobs(2, 2 * MINUTE_MS, { diesOfTermMs: 10 }))
  run.plane.canceled.add(2)
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.signals.map(({ jobId }) => jobId)).toEqual([2])
  expect(run.plane.statuses.get(1)).toBe('completed')
  expect(run.plane.statuses.get(2)).toBe('canceled')
})

test('createLoop() goes on with a job that was taken back and is given again, and reports it under its new claim', async () => {
  const run = await simulate(equalJobs(1, 2 * MINUTE_MS))
  run.plane.rescued.add(1)
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.signals).toEqual([])
  expect(run.launcher.starts).toHaveLength(1)
  const [told] = run.plane.exchanges.flatMap(({ request }) => request.completions)
  expect(told).toMatchObject({ claim_token: 'again.1', result: { attempt_id: 2 } })
})

test('S94 createLoop() renews its leases before it repeats a request when the control plane was away for long', async () => {
  let away = false
  const run = await simulate(equalJobs(3, 6 * MINUTE_MS), { weather: () => (away ? 'unsent' : undefined) })
  await vi.advanceTimersByTimeAsync(1_000)
  away = true
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS)
  const before = run.plane.exchanges.length
  const beats = run.plane.heartbeats.length
  expect(beats).toBeGreaterThan(1)
  away = false
  await vi.advanceTimersByTimeAsync(31_000)
  const answered = run.plane.heartbeats.at(-1)!.atMs
  for (const { sentAtMs } of run.plane.exchanges.slice(before)) expect(sentAtMs).toBeGreaterThanOrEqual(answered)
  expect(await run.finish()).toBe('complete')
})

test('S72 createLoop() ends offline when its long job has ended though no heartbeat was answered', async () => {
  let away = false
  const run = await simulate(equalJobs(1, 5 * MINUTE_MS), {
    weather: () => (away ? 'unsent' : undefined),
    offlineAtMostMs: MINUTE_MS,
  })
  await vi.advanceTimersByTimeAsync(1_000)
  away = true
  expect(await run.finish()).toBe('offline')
  // One try in 5 s while it is away, not one after the other.
  expect(run.plane.heartbeats.length).toBeLessThan(120)
})

test('readopt() renames the logs of an attempt to those of the next one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-readopt-'))
  try {
    const stdout = join(directory, 'job_wf1_j2_r0_a1.o')
    writeFileSync(stdout, 'so far')
    const attempt = {
      jobId: 2,
      workflowId: 1,
      runId: 0,
      attemptId: 1,
      claimToken: 'old',
      computeNodeId: 1,
      cwd: '/',
      outputs: [],
      logs: { stdout, stderr: join(directory, 'job_wf1_j2_r0_a1.e') },
      deleteLogsOnSuccess: false,
      usePendingFailed: false,
    }
    const next = readopt(attempt, { claimToken: 'new', attemptId: 2 })
    expect(next).toMatchObject({ claimToken: 'new', attemptId: 2 })
    expect(next.logs.stdout).toBe(join(directory, 'job_wf1_j2_r0_a2.o'))
    // Nothing was there to be renamed.
    expect(next.logs.stderr).toBe(attempt.logs.stderr)
    expect(readdirSync(directory)).toEqual(['job_wf1_j2_r0_a2.o'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('S52 createLoop() gives back what it holds ahead when another runner starves, and holds nothing for a while', async () => {
  const run = await simulate(equalJobs(4_000, 40))
  await vi.advanceTimersByTimeAsync(39_000)
  const pending = (): number => [...run.plane.statuses.values()].filter(status => status === 'pending').length
  expect(pending()).toBeGreaterThan(0)
  run.plane.starving = true
  const released = (): number => [...run.plane.ends.values()].filter(ends => ends[0] === 'released').length
  const before = released()
  await vi.advanceTimersByTimeAsync(1_500)
  expect(released()).toBeGreaterThan(before)
  run.plane.starving = false
  const toldAtMs = run.plane.heartbeats.at(-1)!.atMs
  const since = run.plane.exchanges.filter(({ sentAtMs }) => sentAtMs > toldAtMs + 50)
  const claims = since.flatMap(({ request }) => request.claim ?? [])
  expect(claims.length).toBeGreaterThan(0)
  expect(claims.filter(claim => claim.hold !== undefined)).toEqual([])
  await vi.advanceTimersByTimeAsync(3_000)
  expect(pending()).toBeGreaterThan(0)
  run.loop.stop()
  await run.finish()
})

/** Somebody gives a job of ours back behind our back, as `runner slurm sync-status` does when Slurm has given the node up. */
function takeBack(run: Simulation, jobId: number, attemptId: number): void {
  run.plane.statuses.set(jobId, 'ready')
  run.plane.attempts.set(jobId, attemptId)
}

test('createLoop() goes on with a job that was given back while it ran here, under the claim that brings it again', async () => {
  const run = await simulate(equalJobs(1, 600_000))
  await vi.advanceTimersByTimeAsync(5_000)
  takeBack(run, 1, 2)
  expect(await run.finish()).toBe('complete')
  expect(run.launcher.starts.map(start => start.jobId)).toEqual([1])
  expect(run.plane.ends.get('t2.1')).toEqual(['completed'])
})

test('createLoop() ends its copy before it starts a job again that was somebody else’s in between', async () => {
  const run = await simulate(equalJobs(1, 600_000))
  await vi.advanceTimersByTimeAsync(5_000)
  takeBack(run, 1, 3)
  run.plane.lost.add(1)
  await vi.advanceTimersByTimeAsync(100_000)
  expect(run.plane.ends.get('t2.1')).toEqual(['released'])
  expect(run.launcher.mostAtOnce).toBe(1)
  run.plane.lost.delete(1)
  expect(await run.finish(1_800_000)).toBe('complete')
  expect(run.launcher.mostAtOnce).toBe(1)
})
