import { describe, expect, test } from 'vitest'
import { detectCores, parseCpuList } from '../../runner/capacity/cores.ts'
import { PLAIN, recordedSystem, VERSION_1, VERSION_2 } from './recorded-system.ts'

describe('detectCores()', () => {
  test('takes the affinity mask', () => {
    const files = { '/proc/self/status': 'Cpus_allowed_list:\t2-3,8\n' }
    expect(detectCores(recordedSystem(files))).toEqual({ ids: [2, 3, 8], source: 'CPU affinity' })
  })

  test('takes the count of the runtime where there is no /proc', () => {
    expect(detectCores(recordedSystem({}))).toEqual({ ids: [0, 1, 2], source: 'operating system' })
  })

  test('rounds a quota of version 2 down', () => {
    const files = { ...VERSION_2, '/sys/fs/cgroup/system.slice/job_7/cpu.max': '350000 100000\n' }
    expect(detectCores(recordedSystem(files))).toEqual({
      ids: [0, 1, 2],
      source: 'cgroup CPU quota (/sys/fs/cgroup/system.slice/job_7)',
    })
  })

  test('takes the smallest quota of all ancestors', () => {
    const files = {
      ...VERSION_2,
      '/sys/fs/cgroup/system.slice/job_7/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '200000 100000\n',
      '/sys/fs/cgroup/cpu.max': '600000 100000\n',
    }
    expect(detectCores(recordedSystem(files)).ids).toEqual([0, 1])
  })

  test('leaves one core when the quota is below one', () => {
    const files = { ...VERSION_2, '/sys/fs/cgroup/system.slice/job_7/cpu.max': '50000 100000\n' }
    expect(detectCores(recordedSystem(files)).ids).toEqual([0])
  })

  test('reads a quota of version 1 and ignores -1', () => {
    const group = '/sys/fs/cgroup/cpu,cpuacct/slurm/uid_1'
    const files = {
      ...VERSION_1,
      [`${group}/job_7/cpu.cfs_quota_us`]: '-1\n',
      [`${group}/job_7/cpu.cfs_period_us`]: '100000\n',
      [`${group}/cpu.cfs_quota_us`]: '400000\n',
      [`${group}/cpu.cfs_period_us`]: '100000\n',
    }
    expect(detectCores(recordedSystem(files)).ids).toEqual([0, 1, 2, 3])
  })

  test('keeps the mask when the quota is larger', () => {
    const files = { ...VERSION_2, '/sys/fs/cgroup/system.slice/job_7/cpu.max': '9900000 100000\n' }
    expect(detectCores(recordedSystem(files)).source).toBe('CPU affinity')
  })

  test('finds the group below the root of the mount that a container sees', () => {
    const files = {
      ...PLAIN,
      '/proc/self/cgroup': '0::/docker/abc/inner\n',
      '/proc/self/mountinfo': '35 24 0:30 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n',
      '/sys/fs/cgroup/inner/cpu.max': '100000 100000\n',
    }
    expect(detectCores(recordedSystem(files)).ids).toEqual([0])
  })

  test('takes the mount itself when the group lies outside of it', () => {
    const files = {
      ...PLAIN,
      '/proc/self/cgroup': '0::/../other\n',
      '/proc/self/mountinfo': '35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n',
      '/sys/fs/cgroup/cpu.max': '200000 100000\n',
    }
    expect(detectCores(recordedSystem(files)).ids).toEqual([0, 1])
  })
})

test('parseCpuList() reads single cores and ranges', () => {
  expect(parseCpuList('0-2,5,10-11')).toEqual([0, 1, 2, 5, 10, 11])
})
