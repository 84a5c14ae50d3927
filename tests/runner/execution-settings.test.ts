import { describe, expect, test } from 'vitest'
import { endingTimes, jobEndOf, readSignal, returnCodesOf } from '../../runner/execution-settings.ts'

describe('endingTimes()', () => {
  const HOUR_MS = 3_600_000

  test('asks 90 s before the end and kills 60 s before it (spec-format.md 11.1)', () => {
    expect(endingTimes(HOUR_MS, 0, {})).toEqual({ askAtMs: HOUR_MS - 90_000, killAtMs: HOUR_MS - 60_000 })
  })

  test('takes lead and headroom from the workflow, however short the run', () => {
    const config = { sigterm_lead_seconds: 5, sigkill_headroom_seconds: 10 }
    expect(endingTimes(20_000, 0, config)).toEqual({ askAtMs: 5_000, killAtMs: 10_000 })
  })

  test('leaves three quarters of a short run to its jobs where the workflow says nothing', () => {
    expect(endingTimes(36_000, 0, {})).toEqual({ askAtMs: 27_000, killAtMs: 30_000 })
    expect(endingTimes(36_000, 0, { sigkill_headroom_seconds: 0 })).toEqual({ askAtMs: 27_000, killAtMs: 36_000 })
    expect(endingTimes(36_000, 0, { sigkill_headroom_seconds: 20 })).toEqual({ askAtMs: 16_000, killAtMs: 16_000 })
    expect(endingTimes(0, 1_000, {})).toEqual({ askAtMs: 0, killAtMs: 0 })
  })
})

test.each([
  ['SIGUSR1', 'SIGUSR1'],
  ['usr2', 'SIGUSR2'],
  [' TERM ', 'SIGTERM'],
  ['2', 'SIGINT'],
  ['SIGNONSENSE', undefined],
  ['', undefined],
  [undefined, undefined],
])('readSignal() of %j is %s', (text, signal) => {
  expect(readSignal(text)).toBe(signal)
})

test('jobEndOf() is SIGTERM and 30 s unless the workflow says otherwise', () => {
  expect(jobEndOf({})).toEqual({ signal: 'SIGTERM', graceMs: 30_000 })
  expect(jobEndOf({ termination_signal: 'SIGINT', sigterm_lead_seconds: 0 })).toEqual({ signal: 'SIGINT', graceMs: 0 })
  expect(jobEndOf({ termination_signal: 'nonsense' }).signal).toBe('SIGTERM')
})

test('returnCodesOf() is 152 and 137 unless the workflow says otherwise', () => {
  expect(returnCodesOf({})).toEqual({ timeout: 152, oom: 137 })
  expect(returnCodesOf({ timeout_exit_code: 0, oom_exit_code: 9 })).toEqual({ timeout: 0, oom: 9 })
})
