import { describe, expect, test } from 'vitest'
import { BUILT_IN_PROFILES } from '../../runner/hpc/built-in.ts'
import { readProfile } from '../../runner/hpc/profile-file.ts'

const DOCUMENT = {
  name: 'hill',
  detect: { cluster_names: ['hill'], hostnames: ['^hill\\d+$'] },
  default_account: 'physics',
  partitions: [{ name: 'all', cpus_per_node: 16, memory_per_node: '64g', max_walltime: '1-12', shared: true }],
}

const faultOf = (document: unknown): string => {
  const read = readProfile(document, 'user')
  return 'fault' in read ? read.fault : 'none'
}

describe('readProfile()', () => {
  test('reads sizes and times as Slurm writes them, and fills in what is left out', () => {
    expect(readProfile(DOCUMENT, 'user')).toEqual({
      profile: {
        name: 'hill',
        displayName: 'hill',
        source: 'user',
        defaultAccount: 'physics',
        signs: { clusterNames: ['hill'], hostnames: [/^hill\d+$/], env: {} },
        partitions: [
          {
            name: 'all',
            cpusPerNode: 16,
            memoryBytesPerNode: 64 * 2 ** 30,
            gpusPerNode: 0,
            maxWalltimeSeconds: 36 * 3600,
            isShared: true,
            isByNameOnly: false,
            isDefault: false,
          },
        ],
      },
    })
  })

  test.each([
    ['partitions.0.max_walltime', { ...DOCUMENT.partitions[0], max_walltime: 'soon' }],
    ['partitions.0.memory_per_node', { ...DOCUMENT.partitions[0], memory_per_node: 'lots' }],
    ['partitions.0.cpus_per_node', { ...DOCUMENT.partitions[0], cpus_per_node: 0 }],
    ['partitions.0.cores', { ...DOCUMENT.partitions[0], cores: 4 }],
  ])('names %s when it is wrong', (place, partition) => {
    expect(faultOf({ ...DOCUMENT, partitions: [partition] })).toMatch(new RegExp(`^${place.replaceAll('.', '\\.')}: `))
  })

  test('refuses a profile without partitions, a pattern that is none, and what is no object', () => {
    expect(faultOf({ ...DOCUMENT, partitions: [] })).toContain('at least one partition')
    expect(faultOf({ ...DOCUMENT, detect: { hostnames: ['('] } })).toContain('regular expression')
    expect(faultOf('x')).toContain('the document')
  })
})

test('BUILT_IN_PROFILES have one name each, partitions of different names, and at most one by default', () => {
  expect(BUILT_IN_PROFILES.map(profile => profile.name)).toEqual(['anvil', 'expanse', 'kestrel'])
  for (const { partitions, documentation } of BUILT_IN_PROFILES) {
    expect(new Set(partitions.map(partition => partition.name)).size).toBe(partitions.length)
    expect(partitions.filter(partition => partition.isDefault).length).toBeLessThanOrEqual(1)
    expect(documentation).toMatch(/^https:/)
  }
})
