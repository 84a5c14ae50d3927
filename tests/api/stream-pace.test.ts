import { beforeEach, describe, expect, test } from 'vitest'
import { createStreamPace } from '../../api/stream-pace.ts'

describe('createStreamPace()', () => {
  let clock: number
  let load: number
  let slept: number
  beforeEach(() => {
    clock = 0
    load = 0
    slept = 0
  })

  const open = () =>
    createStreamPace({
      load: () => load,
      now: () => clock,
      sleep: async ms => {
        slept += ms
        clock += ms
      },
    })

  test('lets everything through at once while the server is not busy', async () => {
    const pace = open()
    for (let k = 0; k < 100; k++) await pace.allow(1_000_000)
    expect(slept).toBe(0)
  })

  test('gives all streams of a busy server a megabyte a second together, in chunks of any size', async () => {
    load = 1
    const pace = open()
    for (let k = 0; k < 20; k++) await pace.allow(k % 2 === 0 ? 10_000 : 990_000)
    // 10 MB: ten seconds, less what the first turns allow ahead.
    expect(clock).toBeGreaterThan(8_500)
    expect(clock).toBeLessThan(10_500)
  })

  test('catches up at once when the server has time again', async () => {
    load = 1
    const pace = open()
    await pace.allow(10_000_000)
    load = 0.1
    await pace.allow(10_000_000)
    expect(slept).toBeLessThanOrEqual(250)
    const before = slept
    for (let k = 0; k < 10; k++) await pace.allow(10_000_000)
    expect(slept).toBe(before)
  })
})
