import { describe, expect, test } from 'vitest'
import { JobMeter, Summary } from '../../runner/monitor/meter.ts'
import type { Seen } from '../../runner/monitor/process-table.ts'

const MIB = 2 ** 20
const seen = (pid: number, cpuMs: number, mib = 1): Seen => ({
  pid,
  parent: 1,
  group: 1,
  cpuMs,
  residentBytes: mib * MIB,
})

describe('JobMeter.look()', () => {
  test('measures from the start first, then from look to look, in per cent of one core', () => {
    const meter = new JobMeter(1_000)
    expect(meter.look([seen(1, 500)], 2_000)).toEqual({ cpuPercent: 50, memoryBytes: MIB, processes: 1 })
    expect(meter.look([seen(1, 2_500)], 3_000).cpuPercent).toBe(200)
    expect(meter.look([seen(1, 2_500)], 4_000).cpuPercent).toBe(0)
  })

  test('adds up processes, and counts new ones whole', () => {
    const meter = new JobMeter(0)
    meter.look([seen(1, 100, 10)], 1_000)
    const sample = meter.look([seen(1, 200, 10), seen(2, 300, 30)], 2_000)
    expect(sample).toEqual({ cpuPercent: 40, memoryBytes: 40 * MIB, processes: 2 })
  })

  test('takes nothing away for a pid that was given anew', () => {
    const meter = new JobMeter(0)
    meter.look([seen(1, 5_000)], 1_000)
    expect(meter.look([seen(1, 10)], 2_000).cpuPercent).toBe(0)
  })

  test('bears two looks in one moment, a clock that is set back, and a job without processes', () => {
    const meter = new JobMeter(0)
    expect(meter.look([seen(1, 900)], -5_000).cpuPercent).toBe(0)
    meter.look([], 0)
    expect(meter.look([], 0)).toEqual({ cpuPercent: 0, memoryBytes: 0, processes: 0 })
  })
})

describe('Summary', () => {
  test('gives peaks and averages', () => {
    const summary = new Summary()
    for (const [cpuPercent, memoryBytes] of [
      [50, 100],
      [150, 301],
      [100, 200],
    ] as const)
      summary.add({ cpuPercent, memoryBytes })
    expect(summary.measured()).toEqual({
      peakCpuPercent: 150,
      avgCpuPercent: 100,
      peakMemoryBytes: 301,
      avgMemoryBytes: 200,
    })
  })

  test('without a sample guesses nothing', () => {
    expect(new Summary().measured()).toEqual({})
  })
})
