import { describe, expect, test } from 'vitest'
import { bestPartition, type Demand, matchPartitions } from '../../runner/hpc/match.ts'
import { partitionOf } from './partitions.ts'

const GIB = 2 ** 30
const HOUR = 3600
const demandOf = (fields: Partial<Demand> = {}): Demand => ({
  nodes: 1,
  cpus: 1,
  memoryBytes: GIB,
  gpus: 0,
  walltimeSeconds: HOUR,
  ...fields,
})

const SHORT = partitionOf('short')
const LONG = partitionOf('long', { maxWalltimeSeconds: Infinity })
const BIG = partitionOf('big', { memoryBytesPerNode: 64 * GIB })
const GPU = partitionOf('gpu', { gpusPerNode: 4 })
const DEBUG = partitionOf('debug', { isByNameOnly: true, maxWalltimeSeconds: HOUR, maxNodes: 2 })
const ALL = [LONG, GPU, DEBUG, BIG, SHORT]

describe('matchPartitions()', () => {
  test('puts the partition first that wastes least and starts soonest, and those by name behind', () => {
    const fitting = matchPartitions(ALL, demandOf()).map(match => match.partition.name)
    expect(fitting).toEqual(['short', 'big', 'long', 'gpu', 'debug'])
  })

  test('says of each that does not fit what is too much', () => {
    const demand = demandOf({ nodes: 3, cpus: 9, memoryBytes: 17 * GIB, gpus: 1, walltimeSeconds: 2 * HOUR })
    const [match] = matchPartitions([DEBUG], demand)
    expect(match!.reasons).toEqual([
      '3 nodes where 2 is the most',
      '9 CPUs of 8',
      '17 GiB of memory of 16 GiB',
      '1 GPUs of 0',
      '7200 s where 3600 s is the most',
    ])
  })
})

describe('bestPartition()', () => {
  test.each([
    ['short', demandOf()],
    ['big', demandOf({ memoryBytes: 20 * GIB })],
    ['long', demandOf({ walltimeSeconds: 5 * HOUR })],
    ['gpu', demandOf({ gpus: 1 })],
    [undefined, demandOf({ cpus: 9 })],
  ])('is %s for a demand that only this fits best', (name, demand) => {
    expect(bestPartition(ALL, demand)?.name).toBe(name)
  })

  test('counts the nodes that there are when no limit is named', () => {
    const few = partitionOf('few', { totalNodes: 2 })
    expect(bestPartition([few], demandOf({ nodes: 2 }))).toBe(few)
    expect(bestPartition([few], demandOf({ nodes: 3 }))).toBeUndefined()
  })
})
