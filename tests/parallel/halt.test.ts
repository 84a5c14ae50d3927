import { describe, expect, test } from 'vitest'
import { isReached, parseHalt } from '../../runner/parallel/halt.ts'

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
