import { describe, expect, test } from 'vitest'
import { amountFlag, countFlag, durationFlag, wordFlag } from '../../runner/command-line/flags.ts'

describe('countFlag()', () => {
  test('reads whole numbers and leaves out what is not given', () => {
    expect(countFlag('--n', '12', 1)).toBe(12)
    expect(countFlag('--n', undefined, 1)).toBeUndefined()
  })

  test.each(['0', '-1', '1.5', '1e3', 'x', '', ' 2', '99999999999999999999'])(
    'refuses "%s" and names option and value',
    text => {
      expect(() => countFlag('--n', text, 1)).toThrow(
        `Cannot read --n as it must be a whole number >= 1: current value is ${text || '(empty)'}`,
      )
    },
  )
})

describe('amountFlag()', () => {
  test.each([
    ['16', 16],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['+2', 2],
  ])('reads %s', (text, amount) => {
    expect(amountFlag('--memory-gb', text)).toBe(amount)
  })

  test.each(['0', '-1', '1g', '', '1e3', 'Infinity'])('refuses "%s"', text => {
    expect(() => amountFlag('--memory-gb', text)).toThrow('Cannot read --memory-gb')
  })
})

describe('durationFlag()', () => {
  test.each([
    ['PT1H30M', 5400],
    ['P1DT1S', 86_401],
    ['PT0.5S', 0.5],
    ['1h30m', 5400],
    ['2d', 172_800],
    ['90s', 90],
    ['1D2H3M4S', 93_784],
  ])('reads %s', (text, seconds) => {
    expect(durationFlag('--time-limit', text)).toBe(seconds)
  })

  test.each(['', '0s', 'PT0S', '90', '1.5h', 'h', '30m1h', '-1h', 'PT'])('refuses "%s"', text => {
    expect(() => durationFlag('--time-limit', text)).toThrow('must be a duration like 1h30m or PT1H30M')
  })
})

test('wordFlag() takes one of its words and names them otherwise', () => {
  expect(wordFlag('--format', 'json', ['table', 'json'])).toBe('json')
  expect(() => wordFlag('--format', 'xml', ['table', 'json'])).toThrow(
    'Cannot read --format as it must be table or json: current value is xml',
  )
})
