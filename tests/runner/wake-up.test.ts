import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createWakeUp } from '../../runner/wake-up.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('S70 wait() returns at once after an earlier notice, and the next wait blocks', async () => {
  const wake = createWakeUp()
  wake.notify()
  expect(await wake.wait(1_000)).toBe(true)
  const next = wake.wait(1_000)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await next).toBe(false)
})

test('S70 three notices are one wake-up', async () => {
  const wake = createWakeUp()
  for (let n = 0; n < 3; n++) wake.notify()
  expect(await wake.wait(1_000)).toBe(true)
  const next = wake.wait(1_000)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await next).toBe(false)
})

test('notify() wakes who waits, leaves nothing behind and no timer', async () => {
  const wake = createWakeUp()
  const waiting = wake.wait(60_000)
  wake.notify()
  expect(await waiting).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
