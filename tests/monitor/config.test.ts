import { describe, expect, test } from 'vitest'
import { DEFAULT_MONITOR } from '../../api/core/spec/monitor.ts'
import { readMonitorConfig, type WireMonitorConfig } from '../../runner/monitor/config.ts'

describe('readMonitorConfig()', () => {
  test('of a file that says nothing gives a summary of jobs every 10 s', () => {
    expect(readMonitorConfig(DEFAULT_MONITOR as WireMonitorConfig)).toEqual({
      sampleMs: 10_000,
      flushMs: 300_000,
      jobs: 'summary',
      node: undefined,
    })
  })

  test.each([
    [undefined],
    [null],
    [{}],
    [{ enabled: false }],
    [{ enabled: true, jobs: { enabled: false } }],
    [{ compute_node: { granularity: 'time_series' } }],
  ])('of %j measures nothing', wire => {
    expect(readMonitorConfig(wire)).toBeUndefined()
  })

  test('takes the old keys for jobs where `jobs` is absent', () => {
    expect(readMonitorConfig({ enabled: true, granularity: 'time_series', jobs: null })?.jobs).toBe('time_series')
    expect(readMonitorConfig({ enabled: true, granularity: 'time_series', jobs: { enabled: true } })?.jobs).toBe(
      'summary',
    )
  })

  test('measures CPU and memory of a node unless told otherwise', () => {
    const wire = { compute_node: { enabled: true, granularity: 'time_series', memory: false } }
    expect(readMonitorConfig(wire)).toMatchObject({
      jobs: undefined,
      node: { granularity: 'time_series', cpu: true, memory: false },
    })
  })

  test('never samples without a pause', () => {
    const wire = { enabled: true, sample_interval_seconds: 0, flush_interval_seconds: -5 }
    expect(readMonitorConfig(wire)).toMatchObject({ sampleMs: 1_000, flushMs: 1_000 })
    const endless = { enabled: true, sample_interval_seconds: 1e12, flush_interval_seconds: Number.NaN }
    expect(readMonitorConfig(endless)).toMatchObject({ sampleMs: 1_000_000_000, flushMs: 300_000 })
  })
})
