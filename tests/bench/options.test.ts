import { expect, test } from 'vitest'
import { parseBenchOptions } from '../../scripts/bench/options.ts'

const KNOWN = ['pipeline', 'noop']

test('parseBenchOptions() reads cases and options in any order', () => {
  expect(
    parseBenchOptions(['--json', 'noop', '--pairs', '7', '--durability', 'power', 'pipeline', '--quick'], KNOWN),
  ).toEqual({ cases: ['noop', 'pipeline'], list: false, json: true, quick: true, pairs: 7, durability: 'power' })
})

test('parseBenchOptions() takes five pairs of every case unless told otherwise', () => {
  expect(parseBenchOptions([], KNOWN)).toEqual({
    cases: [],
    list: false,
    json: false,
    quick: false,
    pairs: 5,
    durability: 'process',
  })
})

test.each([
  [['pipelin'], 'Cannot run pipelin as there is no such case or option'],
  [['--pairs', '0'], 'Cannot read --pairs as it must be a whole number >= 1: 0'],
  [['--pairs'], 'Cannot read --pairs as it must be a whole number >= 1: '],
  [['--durability', 'none'], 'Cannot read --durability as it is process or power: none'],
])('parseBenchOptions() says what is wrong with %j', (words, message) => {
  expect(parseBenchOptions(words, KNOWN)).toBe(message)
})
