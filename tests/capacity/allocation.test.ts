import { describe, expect, it } from 'vitest'
import { detectCapacity } from '../../runner/capacity/detect.ts'
import { offerCapacity } from '../../runner/capacity/offer.ts'
import type { System } from '../../runner/capacity/system.ts'

const GIB = 2 ** 30
const system = (env: NodeJS.ProcessEnv): System => ({
  env,
  read: path => (path === '/proc/self/status' ? 'Cpus_allowed_list:\t2-3\n' : undefined),
  list: () => [],
  listNvidiaGpus: () => undefined,
  fallback: { cpus: 2, memoryBytes: 4 * GIB },
})
const SLURM = {
  SLURM_JOB_ID: '9',
  SLURM_CPUS_ON_NODE: '4',
  SLURM_MEM_PER_NODE: '2048',
  SLURM_GPUS_ON_NODE: '1',
  CUDA_VISIBLE_DEVICES: '3',
}
const wish = { overcommit: false }

describe('detectCapacity()', () => {
  it('lets the scheduler say how many, and the machine which', () => {
    const { cores, memory, gpus } = detectCapacity(system(SLURM))
    expect(cores).toEqual({ ids: [2, 3, 4, 5], source: 'slurm allocation 9' })
    expect(memory).toEqual({ bytes: 2 * GIB, source: 'slurm allocation 9' })
    expect(gpus).toEqual({ ids: ['3'], source: 'slurm allocation 9' })
    expect(detectCapacity(system({ ...SLURM, SLURM_CPUS_ON_NODE: '1' })).cores.ids).toEqual([2])
  })

  it('looks at the machine for what the scheduler does not say', () => {
    const { cores, memory } = detectCapacity(system({ SLURM_JOB_ID: '9' }))
    expect(cores.source).toBe('CPU affinity')
    expect(memory.bytes).toBe(4 * GIB)
  })
})

describe('offerCapacity()', () => {
  const detected = detectCapacity(system(SLURM))

  it('offers no more than the allocation has, --overcommit or not', () => {
    expect(offerCapacity({ cpus: 64, memoryBytes: 64 * GIB, gpus: 8, overcommit: true }, detected)).toEqual({
      cores: [2, 3, 4, 5],
      memoryBytes: 2 * GIB,
      gpus: ['3'],
      slots: undefined,
    })
    expect(() => offerCapacity({ ...wish, cpus: 5 }, detected)).toThrow('usable here are 4 (slurm allocation 9)')
  })

  it('offers less when the user says so', () => {
    expect(offerCapacity({ ...wish, cpus: 1, gpus: 0 }, detected)).toMatchObject({ cores: [2], gpus: [] })
  })
})
