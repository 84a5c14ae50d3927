import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatBytes, formatClock, formatCount, formatRate, formatSeconds } from '../../../runner/screen/format.ts'
import { renderTable } from '../../../runner/screen/table.ts'
import { clean, cutTo, padEnd, widthOf } from '../../../runner/screen/text.ts'

test('clean() leaves no control character', () => {
  expect(clean('a\u001b[31mb\nc\td')).toBe('a?[31mb c  d')
})

test.each([
  ['abc', 3],
  ['計算', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['✅', 2],
])('widthOf("%s") is %i columns', (text, width) => {
  expect(widthOf(text)).toBe(width)
})

test('cutTo() never gives more columns than asked for, and keeps what fits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, width) => {
      const cut = cutTo(text, width)
      expect(widthOf(cut)).toBeLessThanOrEqual(Math.max(width, 0))
      if (widthOf(text) <= width) expect(cut).toBe(text)
    }),
  )
  expect(cutTo('a long name', 6)).toBe('a lon…')
})

test('padEnd() counts wide characters twice', () => {
  expect(padEnd('計', 4)).toBe('計  ')
})

test.each([
  [0, '0.0 s'],
  [9.94, '9.9 s'],
  [9.96, '10 s'],
  [59.7, '1m00s'],
  [185, '3m05s'],
  [7_320, '2h02m'],
  [180_000, '2d02h'],
])('formatSeconds(%d) is %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text))

test.each([
  [0, '0:00'],
  [67_900, '1:07'],
  [3_609_000, '1:00:09'],
  [-5, '0:00'],
])('formatClock(%d) is %s', (ms, text) => {
  expect(formatClock(ms)).toBe(text)
})

test.each([
  [1_234, '1,234/s'],
  [2.345, '2.3/s'],
  [0.5, '30.0/min'],
  [0.001, '3.6/h'],
])('formatRate(%d) is %s', (rate, text) => {
  expect(formatRate(rate)).toBe(text)
})

test.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [3_565_158, '3.4 MiB'],
  [200 * 2 ** 30, '200 GiB'],
])('formatBytes(%d) is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

test('formatCount() puts thousands apart', () => {
  expect([0, 999, 1_000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
})

describe('renderTable()', () => {
  const columns = [
    { title: 'ID', value: (row: { id: number; name: string }) => row.id, align: 'right' as const },
    { title: 'NAME', value: (row: { id: number; name: string }) => row.name },
  ]

  test('aligns numbers right and leaves no blanks at line ends', () => {
    const rows = [
      { id: 1, name: 'a' },
      { id: 100, name: 'bcd' },
    ]
    expect(renderTable(columns, rows, 80)).toBe(' ID  NAME\n  1  a\n100  bcd\n')
  })

  test('cuts the widest column to the screen', () => {
    const table = renderTable(columns, [{ id: 1, name: 'x'.repeat(50) }], 20)
    for (const line of table.trimEnd().split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(20)
    expect(table).toContain('x…')
  })
})
