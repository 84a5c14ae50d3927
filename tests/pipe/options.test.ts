import { describe, expect, it } from 'vitest'
import { parseFollowing } from '../../runner/pipe/following.ts'
import { type PipeFlags, parsePipeOptions, walltimeFlag } from '../../runner/pipe/options.ts'

const NONE = { job: [], tag: [], prologue: [], directive: [] }
const parse = (flags: PipeFlags, lists = {}) =>
  parsePipeOptions({ scheduler: 'slurm', ...flags }, { ...NONE, ...lists })

describe('parsePipeOptions()', () => {
  it('has the usual values', () => {
    expect(parse({})).toMatchObject({ width: 100, threshold: 10, slots: 1, walltimeSeconds: 3600, graceSeconds: 120 })
    expect(parse({}).throttle).toBeUndefined()
  })

  it.each<[string, PipeFlags]>([
    ['--scheduler', { scheduler: undefined }],
    ['scheduler lsf', { scheduler: 'lsf' }],
    ['--width', { width: '0' }],
    ['--width', { width: 'many' }],
    ['--throttle', { throttle: '0' }],
    ['--throttle', { throttle: '-1' }],
    ['--throttle', { throttle: '1.5' }],
    ['--throttle', { throttle: 'true' }],
    ['--walltime', { walltime: '0' }],
    ['--walltime', { walltime: '00:00:00' }],
    ['--walltime', { walltime: 'soon' }],
    ['--threshold', { threshold: '0' }],
    ['--slots', { slots: '0' }],
    ['--memory-gb', { 'memory-gb': '0' }],
    ['--lease', { lease: '10s' }],
    ['--memory-gb', { scheduler: 'sge', 'memory-gb': '0.3' }],
  ])('S32, S35 refuses as a mistake of %s: %j', (words, flags) => {
    expect(() => parse(flags)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(words) }),
    )
  })

  it('leaves the lease to the elements unless it is given', () => {
    expect(parse({}).leaseSeconds).toBeUndefined()
    expect(parse({ lease: '30s' }).leaseSeconds).toBe(30)
  })

  it('reads jobs and tags that are given several times', () => {
    const { jobIds, tags } = parse({}, { job: ['1,2', '5'], tag: ['method=dft', 'note=a=b'] })
    expect(jobIds).toEqual([1, 2, 5])
    expect(tags).toEqual({ method: 'dft', note: 'a=b' })
    expect(() => parse({}, { tag: ['method'] })).toThrow(/NAME=VALUE/)
  })
})

it.each([
  ['4h', 14_400],
  ['PT90M', 5_400],
  ['1:00:00', 3_600],
  ['00:05:30', 330],
  ['2-12:00:00', 216_000],
])('walltimeFlag() reads %s as %d s', (text, seconds) => {
  expect(walltimeFlag('--walltime', text)).toBe(seconds)
})

it.each([
  ['slurm', undefined, 30_000],
  ['local', undefined, 1_000],
  ['slurm', '5', 5_000],
  ['slurm', '2m', 120_000],
])('parseFollowing() looks at %s with --poll-interval %s every %d ms', (scheduler, text, everyMs) => {
  expect(parseFollowing({ 'poll-interval': text }, scheduler)).toEqual({ detach: false, everyMs })
})
