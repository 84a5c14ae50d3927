import { expect, test } from 'vitest'
import { formatGrant, formatRefusal, parseClientLine } from '../../runner/exec/protocol.ts'

test('parseClientLine() reads a request with all it tells', () => {
  expect(parseClientLine('ask 1 4 1 1048576 x1.a-7-2 12 make -j 4  test')).toEqual({
    type: 'ask',
    need: { cpus: 4, gpus: 1, memoryBytes: 1048576 },
    within: 'x1.a-7-2',
    record: 12,
    command: 'make -j 4  test',
  })
  expect(parseClientLine('ask 1 1 0 0 - - true')).toMatchObject({ within: undefined, record: 'usual' })
  expect(parseClientLine('ask 1 1 0 0 - none true')).toMatchObject({ record: 'none' })
})

test('parseClientLine() reads what a client of a former runner holds', () => {
  expect(parseClientLine('adopt 1 x1.a-7-2 3,5 0,GPU-5d6e 1024 77 1700000000000.250 - - a b')).toEqual({
    type: 'adopt',
    id: 'x1.a-7-2',
    held: { cores: [3, 5], gpus: ['0', 'GPU-5d6e'], memoryBytes: 1024 },
    group: 77,
    startedAtMs: 1700000000000.25,
    within: undefined,
    record: 'usual',
    command: 'a b',
  })
})

test('parseClientLine() reads an end and a client that went away', () => {
  expect(parseClientLine('end 137 1.5 2.5 0.250 0.125 4096')).toEqual({
    type: 'end',
    code: 137,
    startedAtMs: 1.5,
    exitedAtMs: 2.5,
    userMs: 0.25,
    systemMs: 0.125,
    peakMemoryBytes: 4096,
  })
  expect(parseClientLine('gone 0')).toEqual({ type: 'gone', group: 0 })
  expect(parseClientLine('status 1')).toEqual({ type: 'status' })
})

test.each([
  '',
  'hello',
  'ask',
  'ask 2 1 0 0 - - true',
  'ask 1 0 0 0 - - true',
  'ask 1 -1 0 0 - - true',
  'ask 1 1.5e3 0 0 - - true',
  'ask 1 99999999999999999999 0 0 - - true',
  'ask 1 1 0 0 - 0 true',
  'ask 1 1 0 0 - -5 true',
  'ask 1 1 0 0 -',
  'ask 1 1 0 0 - -',
  'adopt 1 x 1,a - 0 0 0 - - true',
  'adopt 1 x 1',
  'end 0 0 0 0 0',
  'end NaN 0 0 0 0 0',
  'status',
])('parseClientLine() refuses %j', line => {
  expect(parseClientLine(line)).toBeUndefined()
})

test('formatGrant() names cores and GPUs, or none', () => {
  expect(formatGrant('x.1', true, { cores: [0, 2], gpus: ['1'], memoryBytes: 0 })).toBe('grant x.1 1 0,2 1')
  expect(formatGrant('x.1', false, { cores: [], gpus: [], memoryBytes: 0 })).toBe('grant x.1 0 - -')
  expect(formatRefusal(125, 'no room')).toBe('refuse 125 no room')
})
