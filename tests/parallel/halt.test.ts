import { describe, expect, test } from 'vitest'
import { endExitCode, haltExitCode, isReached, parseHalt } from '../../runner/parallel/halt.ts'

describe('parseHalt()', () => {
  test.each([
    ['now,fail=1', { when: 'now', what: 'fail', many: 1, isPercent: false }],
    ['soon,done=20%', { when: 'soon', what: 'done', many: 20, isPercent: true }],
    ['1', { when: 'soon', what: 'fail', many: 1, isPercent: false }],
    ['2', { when: 'now', what: 'fail', many: 1, isPercent: false }],
    ['0', undefined],
    ['never', undefined],
    [undefined, undefined],
  ])('reads %s', (text, halt) => {
    expect(parseHalt(text)).toEqual(halt)
  })

  test.each(['', 'now', 'later,fail=1', 'now,fail', 'now,fail=0', 'now,lost=1', '3'])('"%s" is a usage error', text => {
    expect(() => parseHalt(text)).toThrow('Cannot read --halt')
  })
})

describe('isReached()', () => {
  test.each([
    ['soon,fail=2', { failed: 1, succeeded: 9 }, false],
    ['soon,fail=2', { failed: 2, succeeded: 0 }, true],
    ['soon,success=2', { failed: 9, succeeded: 2 }, true],
    ['soon,done=5', { failed: 2, succeeded: 3 }, true],
    ['soon,fail=30%', { failed: 2, succeeded: 0 }, false],
    ['soon,fail=30%', { failed: 3, succeeded: 0 }, true],
  ])('%s with %o of 10 jobs: %s', (text, ends, reached) => {
    expect(isReached(parseHalt(text)!, { ...ends, total: 10 })).toBe(reached)
  })
})

describe('haltExitCode()', () => {
  const end = { exitValue: 7, signal: 0, startedAtMs: 0, runtimeMs: 0 }

  test.each([
    ['now,fail=1', { failed: 1, succeeded: 2, total: 10 }, 7],
    ['now,done=1', { failed: 0, succeeded: 1, total: 10 }, 7],
    ['now,fail=2', { failed: 2, succeeded: 2, total: 10 }, 2],
    ['now,fail=200', { failed: 200, succeeded: 0, total: 300 }, 101],
    ['now,fail=10%', { failed: 1, succeeded: 0, total: 10 }, 7],
    ['soon,fail=30%', { failed: 3, succeeded: 0, total: 8 }, 38],
    ['now,success=1', { failed: 3, succeeded: 1, total: 10 }, 0],
  ])('%s with %o gives %i', (text, ends, code) => {
    expect(haltExitCode(parseHalt(text)!, ends, end)).toBe(code)
  })

  test('adds 128 to the signal that ended the job', () => {
    const ends = { failed: 1, succeeded: 0, total: 10 }
    expect(haltExitCode(parseHalt('now,fail=1')!, ends, { ...end, exitValue: 0, signal: 9 })).toBe(137)
  })
})

test('endExitCode() counts failures up to 101, or gives their share where --halt has one', () => {
  expect([0, 3, 100, 101, 500].map(failed => endExitCode(undefined, failed, 1_000))).toEqual([0, 3, 100, 101, 101])
  expect(endExitCode(parseHalt('soon,fail=20%'), 1, 8)).toBe(13)
})
