import { describe, expect, test } from 'vitest'
import { createPace, gatherMs } from '../../runner/holding.ts'

/** A pace that has seen many jobs of one length. */
function paceOf(durationMs: number) {
  const pace = createPace()
  for (let n = 0; n < 50; n++) pace.ended(durationMs)
  return pace
}

describe('createPace()', () => {
  test('holds nothing before the first job has ended', () => {
    expect(createPace().holdTarget(2)).toBe(0)
  })

  test.each([
    [1, 2, 128],
    [10, 2, 20],
    [50, 2, 4],
    [999, 2, 1],
    [1_000, 2, 0],
    [10, 0, 0],
  ])('with jobs of %i ms and %i that run holds %i', (durationMs, running, target) => {
    expect(paceOf(durationMs).holdTarget(running)).toBe(target)
  })

  test('forgets short jobs when long ones come', () => {
    const pace = paceOf(5)
    for (let n = 0; n < 30; n++) pace.ended(5_000)
    expect(pace.holdTarget(2)).toBe(0)
  })
})

describe('gatherMs()', () => {
  const loaded = { slotFree: false, held: 3, sinceRequestMs: 5, oldestExitMs: 1 }

  test('is 0 while a slot is free or nothing is held', () => {
    expect(gatherMs({ ...loaded, slotFree: true })).toBe(0)
    expect(gatherMs({ ...loaded, held: 0 })).toBe(0)
  })

  test('under load leaves 20 ms between requests', () => {
    expect(gatherMs(loaded)).toBe(15)
    expect(gatherMs({ ...loaded, sinceRequestMs: 25 })).toBe(0)
  })

  test('never lets a completion wait for more than 50 ms after its exit', () => {
    expect(gatherMs({ ...loaded, sinceRequestMs: 0, oldestExitMs: 45 })).toBe(5)
    expect(gatherMs({ ...loaded, sinceRequestMs: 0, oldestExitMs: 80 })).toBe(0)
  })
})
