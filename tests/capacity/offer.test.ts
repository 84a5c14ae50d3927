import { describe, expect, test } from 'vitest'
import { offerCapacity } from '../../runner/capacity/offer.ts'

const DETECTED = {
  cores: { ids: [2, 3, 8], source: 'CPU affinity' },
  memory: { bytes: 1000, source: 'machine' },
  gpus: { ids: ['1', 'GPU-5d6e'], source: 'CUDA_VISIBLE_DEVICES' },
}

describe('offerCapacity()', () => {
  test('offers what was detected', () => {
    expect(offerCapacity({ overcommit: false }, DETECTED)).toEqual({
      cores: [2, 3, 8],
      memoryBytes: 1000,
      gpus: ['1', 'GPU-5d6e'],
      slots: undefined,
    })
  })

  test('offers less when told so', () => {
    const offer = offerCapacity({ cpus: 2, memoryBytes: 10, gpus: 0, overcommit: false }, DETECTED)
    expect(offer).toMatchObject({ cores: [2, 3], memoryBytes: 10, gpus: [] })
  })

  test('refuses more CPUs than there are without --overcommit, naming both numbers', () => {
    expect(() => offerCapacity({ cpus: 4, overcommit: false }, DETECTED)).toThrow(/--overcommit: --num-cpus is 4, .* 3/)
  })

  test('refuses more memory than there is without --overcommit, naming both amounts, and takes it with', () => {
    const small = { ...DETECTED, memory: { bytes: 2.509 * 2 ** 30, source: 'machine' } }
    const wish = { memoryBytes: 3 * 2 ** 30, overcommit: false }
    expect(() => offerCapacity(wish, small)).toThrow('--memory-gb is 3, usable here are 2.5 (machine)')
    expect(offerCapacity({ ...wish, overcommit: true }, small).memoryBytes).toBe(3 * 2 ** 30)
  })

  test('makes up core ids beyond the machine with --overcommit', () => {
    expect(offerCapacity({ cpus: 5, overcommit: true }, DETECTED).cores).toEqual([2, 3, 8, 9, 10])
  })

  test('makes up GPU ids that are not among the detected ones', () => {
    expect(offerCapacity({ gpus: 4, overcommit: false }, DETECTED).gpus).toEqual(['1', 'GPU-5d6e', '2', '3'])
  })
})
