import { expect, test } from 'vitest'
import { formatMemory, formatRuntime } from '../../../runner/recovery/amounts.ts'

test.each([
  [6 * 2 ** 30, '6g'],
  [1.5 * 2 ** 30, '1536m'],
  [2 ** 20 + 1, '2m'],
  [1_500, '1500'],
  [512 * 1024, '512k'],
  [2 ** 40, '1t'],
])('formatMemory() writes %d bytes as %s', (bytes, text) => {
  expect(formatMemory(bytes)).toBe(text)
})

test.each([
  [0, 'PT0S'],
  [12.2, 'PT13S'],
  [60, 'PT1M'],
  [61, 'PT2M'],
  [5_400, 'PT1H30M'],
  [604_800, 'PT168H'],
])('formatRuntime() writes %d seconds as %s', (seconds, text) => {
  expect(formatRuntime(seconds)).toBe(text)
})
