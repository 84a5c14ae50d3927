import { expect, test } from 'vitest'
import { memoryFlag, walltimeFlag } from '../../runner/slurm/flags.ts'
import { formatWalltime } from '../../runner/slurm/walltime.ts'

test.each([
  ['04:00:00', 14_400],
  ['1-12', 129_600],
  ['30:00', 1_800],
  ['4h', 14_400],
  ['PT4H', 14_400],
])('walltimeFlag() reads %s', (text, seconds) => {
  expect(walltimeFlag('--walltime', text)).toBe(seconds)
})

test.each(['', '0:00', 'soon', '-1', 'UNLIMITED'])('walltimeFlag() refuses "%s"', text => {
  expect(() => walltimeFlag('--walltime', text)).toThrow('--walltime')
})

test('memoryFlag() reads a size', () => {
  expect(memoryFlag('--memory', '16g')).toBe(16 * 2 ** 30)
  expect(() => memoryFlag('--memory', '')).toThrow('(empty)')
  expect(() => memoryFlag('--memory', '0')).toThrow('--memory')
})

test('formatWalltime() writes what Slurm reads', () => {
  expect([59.5, 3_661, 90_000, Infinity].map(formatWalltime)).toEqual([
    '00:01:00',
    '01:01:01',
    '1-01:00:00',
    'UNLIMITED',
  ])
})
