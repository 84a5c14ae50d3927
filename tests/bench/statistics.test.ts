import { expect, test } from 'vitest'
import { quantile, spreadOf } from '../../scripts/bench/statistics.ts'

test('spreadOf() gives median and range of values in any order', () => {
  expect(spreadOf([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 })
  expect(spreadOf([10, 2, 4, 1])).toEqual({ median: 3, least: 1, most: 10 })
  expect(spreadOf([7])).toEqual({ median: 7, least: 7, most: 7 })
})

test('quantile() lies between neighbours in proportion', () => {
  expect(quantile([0, 10, 20, 30, 40], 0.25)).toBe(10)
  expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9)
  expect(quantile([3], 0.99)).toBe(3)
})
