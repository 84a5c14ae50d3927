import { expect, test } from 'vitest'
import { createBackOff } from '../../runner/back-off.ts'

test('S71 next() doubles from the first pause up to the cap, and reset() starts anew', () => {
  const backOff = createBackOff({ firstMs: 200, capMs: 1_000 })
  expect([1, 2, 3, 4, 5].map(() => backOff.next())).toEqual([200, 400, 800, 1_000, 1_000])
  backOff.reset()
  expect(backOff.next()).toBe(200)
})

test('next() takes at most the share named as jitter off a pause', () => {
  const pauseWith = (random: number): number =>
    createBackOff({ firstMs: 1_000, capMs: 1_000, jitter: 0.2, random: () => random }).next()
  expect(pauseWith(0)).toBe(1_000)
  expect(pauseWith(1)).toBe(800)
})
