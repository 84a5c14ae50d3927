import { describe, expect, test } from 'vitest'
import { detectMemory } from '../../runner/capacity/memory.ts'
import { PLAIN, recordedSystem, VERSION_1, VERSION_2 } from './recorded-system.ts'

const GIB = 2 ** 30

describe('detectMemory()', () => {
  test('takes the whole machine when nothing limits it', () => {
    expect(detectMemory(recordedSystem(PLAIN))).toEqual({ bytes: 16 * GIB, source: 'machine' })
  })

  test('takes the runtime figure where there is no /proc', () => {
    expect(detectMemory(recordedSystem({}))).toEqual({ bytes: 5_000, source: 'operating system' })
  })

  test('takes the smallest limit of all ancestors under version 2', () => {
    const files = {
      ...VERSION_2,
      '/sys/fs/cgroup/system.slice/job_7/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/memory.max': `${4 * GIB}\n`,
    }
    expect(detectMemory(recordedSystem(files))).toEqual({
      bytes: 4 * GIB,
      source: 'cgroup memory limit (/sys/fs/cgroup/system.slice)',
    })
  })

  test('reads a limit of version 1', () => {
    const files = { ...VERSION_1, '/sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.limit_in_bytes': `${2 * GIB}\n` }
    expect(detectMemory(recordedSystem(files)).bytes).toBe(2 * GIB)
  })

  test('ignores the huge number that version 1 writes for no limit', () => {
    const files = { ...VERSION_1, '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' }
    expect(detectMemory(recordedSystem(files))).toEqual({ bytes: 16 * GIB, source: 'machine' })
  })
})
