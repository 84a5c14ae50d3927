import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDuration, suggestDuration } from '../../api/core/duration.ts'
import { parseMemory, suggestMemory } from '../../api/core/memory.ts'
import { parseGresGpus, parseSlurmMemory, parseWalltime } from '../../api/core/spec/slurm-text.ts'
import { readFixtureJson } from './fixture-env.ts'

interface Units {
  duration_seconds: { text: string; seconds: number | null }[]
  memory_bytes: { text: string; bytes: number | null }[]
  walltime_seconds: { text: string; seconds: number | 'unlimited' | null }[]
  gres_gpus: { text: string; gpus: number | null }[]
}

const units = readFixtureJson<Units>('units.json')

describe('parseDuration()', () => {
  test.each(units.duration_seconds)('reads "$text" as $seconds', ({ text, seconds }) => {
    expect(parseDuration(text) ?? null).toBe(seconds)
  })

  test('reads the calendar form of the contract', () => {
    expect(parseDuration('P0000-00-01T02:00:00')).toBe(93_600)
  })

  test('refuses a number beyond 32 bits in any part', () => {
    expect(parseDuration('PT4294967295S')).toBe(4_294_967_295)
    expect(parseDuration('PT4294967296S')).toBeUndefined()
  })
})

describe('suggestDuration()', () => {
  test.each([
    ['30m', 'PT30M'],
    ['1h', 'PT1H'],
    ['2d', 'P2D'],
    ['3600', 'PT3600S'],
    ['PT1.5H', 'PT1H30M'],
    ['PT2.5M', 'PT2M30S'],
    ['pt1h', 'PT1H'],
  ])('offers for %s the form %s', (written, meant) => {
    expect(suggestDuration(written)).toBe(meant)
  })

  test('offers nothing for what is not understood', () => {
    expect(suggestDuration('soon')).toBeUndefined()
  })

  test('offers only durations', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[PTpt0-9.hmsHMSD]{0,8}$/), text => {
        const offered = suggestDuration(text)
        if (offered !== undefined) expect(parseDuration(offered)).toBeDefined()
      }),
    )
  })
})

describe('parseMemory()', () => {
  test.each(units.memory_bytes)('reads "$text" as $bytes', ({ text, bytes }) => {
    expect(parseMemory(text) ?? null).toBe(bytes)
  })
})

describe('suggestMemory()', () => {
  test.each([
    ['4GB', '4g'],
    ['4 GiB', '4g'],
    ['4Gi', '4g'],
    ['1.5g', '1536m'],
    ['0.5T', '512g'],
  ])('offers for %s the form %s', (written, meant) => {
    expect(suggestMemory(written)).toBe(meant)
  })

  test('offers nothing for what is not understood', () => {
    expect(suggestMemory('lots')).toBeUndefined()
  })
})

describe('parseWalltime()', () => {
  test.each(units.walltime_seconds)('reads "$text" as $seconds', ({ text, seconds }) => {
    const expected = seconds === 'unlimited' ? Number.POSITIVE_INFINITY : seconds
    expect(parseWalltime(text) ?? null).toBe(expected)
  })
})

describe('parseGresGpus()', () => {
  test.each(units.gres_gpus)('counts $gpus GPUs in "$text"', ({ text, gpus }) => {
    expect(parseGresGpus(text) ?? null).toBe(gpus)
  })

  test('leaves out the sockets behind a count, commas included', () => {
    expect(parseGresGpus('gpu:h100:4(S:0,1),lustre:1')).toBe(4)
  })
})

describe('parseSlurmMemory()', () => {
  test('takes a number without unit as megabytes, as Slurm does', () => {
    expect(parseSlurmMemory('2048')).toBe(2048 * 2 ** 20)
    expect(parseSlurmMemory('2g')).toBe(2 * 2 ** 30)
    expect(parseSlurmMemory('2GB')).toBeUndefined()
  })
})
