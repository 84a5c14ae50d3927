import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { simulate } from '../runner/simulation.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

test('createLoop() gives a job of several nodes all of this one, whatever it asks for of a node', async () => {
  const jobs = [1, 2, 3].map(id => ({ id, durationMs: 50, nodes: id === 1 ? 2 : 1 }))
  const run = await simulate(jobs)
  expect(await run.finish()).toBe('complete')
  const startOf = (id: number) => run.launcher.starts.find(start => start.jobId === id)!.atMs
  expect(startOf(2)).toBeGreaterThanOrEqual(startOf(1) + 50)
  expect(startOf(3)).toBeLessThan(startOf(2) + 50)
})
