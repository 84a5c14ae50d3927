import { expect, test } from 'vitest'
import { rowsOf } from '../../scripts/bench/rows.ts'
import { renderRows } from '../../scripts/bench/table.ts'

const RUNS = new Map([
  ['ours', [{ wall: 2 }, { wall: 12 }, { wall: 4 }]],
  ['theirs', [{ wall: 1 }, { wall: 10 }, { wall: 8 }]],
])

test('rowsOf() takes ratios pair by pair, so that a slow minute falls on both', () => {
  const [row] = rowsOf([{ contender: 'ours', figure: 'wall', unit: 's', against: { contender: 'theirs' } }], RUNS)
  expect(row!.value).toEqual({ median: 4, least: 2, most: 12 })
  // 2/1, 12/10, 4/8: the ratio of the medians would be 4/8.
  expect(row!.ratio).toEqual({ to: 'theirs', median: 1.2, least: 0.5, most: 2 })
})

test('rowsOf() judges medians by their targets, the bound itself included', () => {
  const line = { contender: 'ours', figure: 'wall', unit: 's' } as const
  const reached = (target: { least: number } | { most: number }) =>
    rowsOf([{ ...line, target }], RUNS)[0]!.value.reached
  expect(reached({ most: 4 })).toBe(true)
  expect(reached({ most: 3.9 })).toBe(false)
  expect(reached({ least: 4 })).toBe(true)
  expect(reached({ least: 4.1 })).toBe(false)
})

test('rowsOf() refuses a figure that a contender does not yield', () => {
  expect(() => rowsOf([{ contender: 'ours', figure: 'rate', unit: '1/s' }], RUNS)).toThrow('ours yields no figure rate')
})

test('rowsOf() leaves out who has no runs, and compares nobody with them', () => {
  const lines = ['ours', 'gone'].map(contender => ({
    contender,
    figure: 'wall',
    unit: 's' as const,
    against: { contender: 'gone' },
  }))
  expect(rowsOf(lines, RUNS)).toEqual([
    { contender: 'ours', figure: 'wall', unit: 's', runs: 3, value: { median: 4, least: 2, most: 12 } },
  ])
})

test('renderRows() prints ratio and target beside the figures, and whether they are reached', () => {
  const against = { contender: 'theirs', target: { most: 1.25 } }
  const text = renderRows(
    rowsOf([{ contender: 'ours', figure: 'wall', unit: 's', target: { least: 15_000 }, against }], RUNS),
  )
  expect(text).toMatch(/^ours +wall +4\.00 +2\.00–12\.0 +s +≥ 15,000 no +1\.20 +0\.500–2\.00 +theirs +≤ 1\.25 yes$/m)
})
