import { describe, expect, test } from 'vitest'
import { parseClusterName, parsePartitionRules, parseSinfo } from '../../runner/hpc/parse-sinfo.ts'

/** As Slurm 22.05.8 prints them, `sinfo -h -o '%R|%a|%l|%D|%c|%m|%G'` and `scontrol show partition -o`. */
const SINFO = `debug|up|1:00:00|2|8|8000|gpu:2
preempt|up|infinite|2|8|8000|(null)
old|down|1:00:00|4|16+|64000+|(null)
big|up|2-00:00:00|3|104|246064+|gpu:h100:4(S:0-3),nvme:1
`
const PARTITIONS = `PartitionName=debug AllowGroups=ALL Default=YES DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=01:00:00 OverSubscribe=NO State=UP
PartitionName=big AllowGroups=ALL Default=NO DefaultTime=NONE MaxNodes=16 MaxTime=2-00:00:00 OverSubscribe=EXCLUSIVE State=UP
`

describe('parseSinfo()', () => {
  test('reads partitions with their limits, GPUs and rules, without those that are down', () => {
    expect(parseSinfo(SINFO, parsePartitionRules(PARTITIONS))).toEqual([
      {
        name: 'debug',
        cpusPerNode: 8,
        memoryBytesPerNode: 8000 * 2 ** 20,
        gpusPerNode: 2,
        gpuType: undefined,
        maxWalltimeSeconds: 3600,
        maxNodes: undefined,
        totalNodes: 2,
        isShared: true,
        isByNameOnly: false,
        isDefault: true,
      },
      expect.objectContaining({ name: 'preempt', gpusPerNode: 0, maxWalltimeSeconds: Infinity, isShared: false }),
      expect.objectContaining({ name: 'big', gpusPerNode: 4, gpuType: 'h100', maxNodes: 16, isShared: false }),
    ])
  })

  test.each(['debug|up|1:00:00|2|8|8000', 'debug|up|soon|2|8|8000|(null)', 'slurm_load_partitions: Unable to contact'])(
    'refuses a listing with the line %s as a whole',
    line => {
      expect(parseSinfo(`${SINFO}${line}\n`, new Map())).toBeUndefined()
    },
  )

  test('finds nothing in nothing', () => {
    expect(parseSinfo('', new Map())).toEqual([])
  })
})

test('parseClusterName() finds the name in the settings', () => {
  expect(parseClusterName('CheckpointType  = x\nClusterName             = kestrel\nZ = 1')).toBe('kestrel')
  expect(parseClusterName('slurm_load_ctl_conf error')).toBeUndefined()
})
