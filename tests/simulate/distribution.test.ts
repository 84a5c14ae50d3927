import { expect, test } from 'vitest'
import { type Distribution, parseDistribution, secondsOf } from '../../runner/simulate/distribution.ts'

const ATTEMPTS = Array.from({ length: 4_000 }, (_, index) => `${index}.1`)

const drawn = (distribution: Distribution, runtimeSeconds = 60): number[] =>
  ATTEMPTS.map(attempt => secondsOf(distribution, { runtimeSeconds, attempt, seed: 1 })).sort((a, b) => a - b)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]): number => values[values.length / 2]!

test('parseDistribution() reads every form', () => {
  expect(parseDistribution('fixed')).toEqual({ kind: 'fixed', seconds: undefined })
  expect(parseDistribution('fixed=0')).toEqual({ kind: 'fixed', seconds: 0 })
  expect(parseDistribution('uniform=0.1..0.5')).toEqual({ kind: 'uniform', from: 0.1, to: 0.5 })
  expect(parseDistribution('exponential=.2')).toEqual({ kind: 'exponential', mean: 0.2 })
  expect(parseDistribution('lognormal=3')).toEqual({ kind: 'lognormal', median: 3, sigma: undefined })
  expect(parseDistribution('lognormal=3,0.7')).toEqual({ kind: 'lognormal', median: 3, sigma: 0.7 })
})

test.each([
  '',
  'fixed=',
  'fixed=-1',
  'uniform=3',
  'uniform=3..1',
  'exponential=a',
  'gauss',
  'lognormal=1,2,3',
  'fixed=1=2',
])('parseDistribution() refuses %s', text => {
  expect(() => parseDistribution(text)).toThrow('Cannot read --simulate-time')
})

test('secondsOf() takes a time from each distribution, and what is left out from the runtime of the job', () => {
  expect(new Set(drawn({ kind: 'fixed' }))).toEqual(new Set([60]))
  expect(new Set(drawn({ kind: 'fixed', seconds: 2 }))).toEqual(new Set([2]))

  const uniform = drawn({ kind: 'uniform', from: 1, to: 3 })
  expect(uniform[0]).toBeGreaterThanOrEqual(1)
  expect(uniform.at(-1)).toBeLessThan(3)
  expect(mean(uniform)).toBeCloseTo(2, 1)
  expect(mean(drawn({ kind: 'uniform' })) / 60).toBeCloseTo(1, 1)

  const exponential = drawn({ kind: 'exponential', mean: 2 })
  expect(mean(exponential) / 2).toBeCloseTo(1, 0)
  expect(median(exponential) / (2 * Math.LN2)).toBeCloseTo(1, 0)
  expect(mean(drawn({ kind: 'exponential' })) / 60).toBeCloseTo(1, 0)

  const lognormal = drawn({ kind: 'lognormal', median: 4, sigma: 0.5 })
  expect(median(lognormal) / 4).toBeCloseTo(1, 1)
  // One sigma above the median lies e^0.5 times as far.
  expect(lognormal[Math.floor(0.8413 * lognormal.length)]! / 4).toBeCloseTo(Math.exp(0.5), 1)
})

test('secondsOf() gives the same attempt the same time, and the next attempt another', () => {
  const draw = (attempt: string, seed = 1) => secondsOf({ kind: 'exponential' }, { runtimeSeconds: 60, attempt, seed })
  expect(draw('3.1')).toBe(draw('3.1'))
  expect(draw('3.1')).not.toBe(draw('3.2'))
  expect(draw('3.1')).not.toBe(draw('3.1', 2))
})
