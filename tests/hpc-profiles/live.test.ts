import { expect, test } from 'vitest'
import { readLiveProfile } from '../../runner/hpc/live.ts'
import { matchPartitions } from '../../runner/hpc/match.ts'
import type { CommandRunner } from '../../runner/schedulers/command.ts'
import { replay } from '../slurm/recorded.ts'

const MIB = 2 ** 20

/** A real Slurm's answers about its partitions; its settings name places of that machine, and of them are two lines here. */
const slurm =
  (select: string): CommandRunner =>
  async (argv, options) =>
    argv.join(' ') === 'scontrol show config'
      ? { kind: 'exited', code: 0, stdout: `ClusterName             = headrace\n${select}\n`, stderr: '' }
      : replay('sinfo', 'partitions')(argv, options)

const partitions = async (select = 'SelectType              = select/cons_tres') => {
  const live = await readLiveProfile(slurm(select))
  if (live.kind === 'none') throw new Error(live.message)
  return live.profile.partitions
}

test('readLiveProfile() has each kind of node of a partition, and no partition that takes no jobs', async () => {
  const seen = (await partitions()).map(one => [
    one.name,
    one.totalNodes,
    one.cpusPerNode,
    one.memoryBytesPerNode / MIB,
  ])
  expect(seen).toEqual([
    ['debug', 2, 8, 8_000],
    ['preempt', 2, 8, 8_000],
    ['mixed', 3, 64, 256_000],
    ['mixed', 1, 64, 1_024_000],
    ['mixed', 2, 32, 128_000],
    ['mixed', 2, 8, 8_000],
    ['excl', 3, 64, 256_000],
    ['hidden', 1, 8, 8_000],
  ])
})

test('readLiveProfile() joins the rules of partitions with their nodes', async () => {
  const all = await partitions()
  expect(all.find(one => one.isDefault)).toMatchObject({ name: 'debug', maxWalltimeSeconds: 3600, isShared: true })
  expect(all.find(one => one.gpuType === 'a100')).toMatchObject({ name: 'mixed', gpusPerNode: 4, maxNodes: 3 })
  expect(all.find(one => one.name === 'excl')).toMatchObject({ isShared: false, maxWalltimeSeconds: Infinity })
})

test('readLiveProfile() shares no node where Slurm gives whole ones', async () => {
  const all = await partitions('SelectType              = select/linear')
  expect(all.filter(one => one.isShared)).toEqual([])
})

test('a job that only the largest nodes of a partition can take finds it', async () => {
  const demand = { nodes: 1, cpus: 64, memoryBytes: 900_000 * MIB, gpus: 0, walltimeSeconds: 60 }
  const fitting = matchPartitions(await partitions(), demand).filter(match => match.reasons.length === 0)
  expect(fitting.map(match => match.partition)).toMatchObject([{ name: 'mixed', totalNodes: 1 }])
})
