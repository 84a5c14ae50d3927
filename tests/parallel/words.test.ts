import { describe, expect, test } from 'vitest'
import { splitWords } from '../../runner/parallel/arguments.ts'
import { combineInputs, cutValues, parseInputs } from '../../runner/parallel/inputs.ts'
import { parseSlots } from '../../runner/parallel/slots.ts'
import { timeoutFlag } from '../../runner/parallel/timeout.ts'

describe('splitWords()', () => {
  test.each([
    ['-j 4 -k echo {} ::: a b', { options: ['-j', '4', '-k'], command: ['echo', '{}'], inputs: [':::', 'a', 'b'] }],
    ['-j4 gzip -k {} :::: f', { options: ['-j4'], command: ['gzip', '-k', '{}'], inputs: ['::::', 'f'] }],
    ['-kj 4 echo', { options: ['-kj', '4'], command: ['echo'], inputs: [] }],
    [
      '--jobs=4 --halt now,fail=1 ls -l',
      { options: ['--jobs=4', '--halt', 'now,fail=1'], command: ['ls', '-l'], inputs: [] },
    ],
    ['-k -- -odd ::: a', { options: ['-k'], command: ['-odd'], inputs: [':::', 'a'] }],
    ['::: a ::::+ f', { options: [], command: [], inputs: [':::', 'a', '::::+', 'f'] }],
    ['echo :::x ::: a', { options: [], command: ['echo', ':::x'], inputs: [':::', 'a'] }],
    [
      '-P 4 --max-procs=3 -N2 --dryrun --xapply ls -P',
      { options: ['-j', '4', '--jobs=3', '-n2', '--dry-run', '--link'], command: ['ls', '-P'], inputs: [] },
    ],
    ['--constructor x', { options: ['--constructor'], command: ['x'], inputs: [] }],
    ['-a f', { options: ['-a', 'f'], command: [], inputs: [] }],
  ])('%s', (line, words) => {
    expect(splitWords(line.split(' '))).toEqual(words)
  })
})

describe('parseInputs()', () => {
  test('reads values and files, and what goes along with the source before', () => {
    expect(parseInputs(':::  :::+ 1 2 :::: f g ::::+ h'.split(/ +/))).toEqual([
      { kind: 'values', values: [], isLinked: false },
      { kind: 'values', values: ['1', '2'], isLinked: true },
      { kind: 'file', path: 'f', isLinked: false },
      { kind: 'file', path: 'g', isLinked: false },
      { kind: 'file', path: 'h', isLinked: true },
    ])
  })

  test.each([
    [':::+ a', 'needs a source before it'],
    ['::: a ::::', 'without a file'],
  ])('%s is a usage error', (line, message) => {
    expect(() => parseInputs(line.split(' '))).toThrow(message)
  })
})

describe('combineInputs()', () => {
  const source = (text: string, isLinked = false) => ({ values: text === '' ? [] : text.split(','), isLinked })
  const shown = (jobs: string[][]) => jobs.map(values => values.join('')).join(' ')

  test.each([
    ['every combination, the last fastest', [source('a,b'), source('1,2,3')], 'a1 a2 a3 b1 b2 b3'],
    ['linked sources end with the shortest', [source('a,b'), source('1,2,3', true)], 'a1 b2'],
    ['a linked pair combines with others', [source('a,b'), source('1,2', true), source('x,y')], 'a1x a1y b2x b2y'],
    ['three in one link', [source('a,b'), source('1,2', true), source('x,y', true)], 'a1x b2y'],
    ['a source without values leaves nothing', [source('a,b'), source('')], ''],
  ])('%s', (_, sources, jobs) => {
    expect(shown(combineInputs(sources, false))).toBe(jobs)
  })

  test('links all sources on wish, and shorter ones begin again', () => {
    expect(shown(combineInputs([source('a,b,c'), source('1,2')], true))).toBe('a1 b2 c1')
    expect(combineInputs([source('a'), source('')], true)).toEqual([])
  })

  test('refuses more combinations than anybody means', () => {
    const many = source(Array.from({ length: 2_000 }, (_, index) => index).join())
    expect(() => combineInputs([many, many], false)).toThrow('4000000 combinations')
  })
})

describe('cutValues()', () => {
  test('takes lines, or what stands before each zero byte', () => {
    expect(cutValues('a b\n\nc\n', '\n')).toEqual(['a b', '', 'c'])
    expect(cutValues('no end', '\n')).toEqual(['no end'])
    expect(cutValues('a\nb\0c\0', '\0')).toEqual(['a\nb', 'c'])
    expect(cutValues('', '\n')).toEqual([])
    expect(cutValues('1,2,', ',')).toEqual(['1', '2'])
  })
})

describe('parseSlots()', () => {
  test.each([
    [undefined, 8],
    ['3', 3],
    ['0', 100],
    ['50%', 4],
    ['1%', 1],
    ['200%', 16],
    ['+2', 10],
    ['-2', 6],
    ['-20', 1],
  ])('%s on 8 cores for 100 jobs is %i', (text, slots) => {
    expect(parseSlots(text, 8, 100)).toBe(slots)
  })

  test.each(['', 'x', '1.5', '%', '5x'])('"%s" is a usage error', text => {
    expect(() => parseSlots(text, 8, 100)).toThrow('Cannot read --jobs')
  })
})

describe('timeoutFlag()', () => {
  test('takes seconds and durations', () => {
    expect(['90', '1.5', '1m30s', 'PT2H'].map(timeoutFlag)).toEqual([90, 1.5, 90, 7200])
    expect(timeoutFlag(undefined)).toBeUndefined()
    expect(() => timeoutFlag('200%')).toThrow('Cannot read --timeout')
    expect(() => timeoutFlag('0')).toThrow('Cannot read --timeout')
  })
})
