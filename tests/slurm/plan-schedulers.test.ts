import { describe, expect, test } from 'vitest'
import { type PlacedJob, type PlanOptions, planSchedulers, type SetDemand } from '../../runner/slurm/plan-schedulers.ts'
import { partitionOf } from '../hpc-profiles/partitions.ts'

const GIB = 2 ** 30
const HOUR = 3600

const setOf = (name: string, fields: Partial<SetDemand> = {}): SetDemand => ({
  name,
  nodes: 1,
  cpus: 1,
  memoryBytes: GIB,
  gpus: 0,
  runtimeSeconds: HOUR,
  ...fields,
})

const jobsOf = (count: number, set: SetDemand, stage = 0): PlacedJob[] =>
  Array.from({ length: count }, (_, index) => ({ name: `${set.name}_${stage}_${index}`, set, stage }))

const plan = (jobs: PlacedJob[], options: Partial<PlanOptions> = {}, partitions = [WHOLE, SHARED, GPU]) =>
  planSchedulers(jobs, partitions, {
    account: 'physics',
    walltimeStrategy: 'max-job-runtime',
    walltimeMultiplier: 1.5,
    groupBy: 'partition',
    singleAllocation: false,
    ...options,
  })

const WHOLE = partitionOf('whole', { maxNodes: 4 })
const SHARED = partitionOf('shared', { isShared: true, maxWalltimeSeconds: 8 * HOUR })
const GPU = partitionOf('gpu', { gpusPerNode: 4, maxWalltimeSeconds: 8 * HOUR })

const actionsOf = (...[jobs, options]: [PlacedJob[], Partial<PlanOptions>?]) =>
  plan(jobs, options).groups.map(group => group.actions.map(action => [action.jobs.length, action.numAllocations]))

describe('planSchedulers()', () => {
  test('asks for as many allocations as jobs of a stage fill within one walltime', () => {
    const small = setOf('small')
    // Eight at once, and one round in an hour and a half.
    expect(actionsOf(jobsOf(8, small))).toEqual([[[8, 1]]])
    expect(actionsOf(jobsOf(9, small))).toEqual([[[9, 2]]])
    expect(actionsOf(jobsOf(32, small), { walltimeStrategy: 'max-partition-time' })).toEqual([[[32, 1]]])
  })

  test('counts what is scarcest on a node', () => {
    expect(actionsOf(jobsOf(4, setOf('heavy', { memoryBytes: 8 * GIB })))).toEqual([[[4, 2]]])
    expect(actionsOf(jobsOf(4, setOf('gpus', { gpus: 2 })))).toEqual([[[4, 2]]])
  })

  test('gives each stage an action of its own, so that nothing is asked for that is blocked', () => {
    const small = setOf('small')
    const { groups } = plan([...jobsOf(1, small), ...jobsOf(20, small, 1), ...jobsOf(1, small, 2)])
    expect(groups).toHaveLength(1)
    expect(groups[0]!.actions.map(action => [action.jobs[0], action.numAllocations])).toEqual([
      ['small_0_0', 1],
      ['small_1_0', 3],
      ['small_2_0', 1],
    ])
  })

  test('groups by partition, or by resource set when asked', () => {
    const jobs = [...jobsOf(1, setOf('a')), ...jobsOf(1, setOf('b')), ...jobsOf(1, setOf('c', { gpus: 1 }))]
    expect(plan(jobs).groups.map(group => [group.scheduler.name, group.sets])).toEqual([
      ['whole_scheduler', ['a', 'b']],
      ['gpu_scheduler', ['c']],
    ])
    const names = plan(jobs, { groupBy: 'resource-requirements' }).groups.map(group => group.scheduler.name)
    expect(names).toEqual(['a_scheduler', 'b_scheduler', 'c_scheduler'])
  })

  test('gives jobs of several nodes a scheduler of exactly as many', () => {
    const wide = jobsOf(4, setOf('wide', { nodes: 3 }))
    const [group] = plan([...wide, ...jobsOf(1, setOf('small'))]).groups
    expect(group!.scheduler).toMatchObject({ name: 'whole_3_nodes_scheduler', nodes: 3 })
    // Each fills an allocation for the whole walltime.
    expect(group!.actions).toMatchObject([{ numAllocations: 4, perNode: false }])
  })

  test('takes one allocation of many nodes when asked, with a runner on each, as many as there may be', () => {
    const [group] = plan(jobsOf(100, setOf('small')), { singleAllocation: true }).groups
    expect(group!.scheduler.nodes).toBe(4)
    expect(group!.actions).toMatchObject([{ numAllocations: 1, perNode: true }])
    const [one] = plan(jobsOf(2, setOf('small')), { singleAllocation: true }).groups
    expect(one!.actions).toMatchObject([{ numAllocations: 1, perNode: false }])
  })

  test('asks of a whole node for its GPUs only, of a shared one for what jobs use at once and for the runner', () => {
    const [gpu] = plan(jobsOf(1, setOf('g', { gpus: 1 }))).groups
    expect(gpu!.scheduler).toMatchObject({ gres: 'gpu:4' })
    expect(gpu!.scheduler.mem).toBeUndefined()
    const three = jobsOf(3, setOf('s', { cpus: 2 }))
    const [shared] = plan(three, { partition: 'shared' }).groups
    expect(shared!.scheduler).toMatchObject({ mem: '3584m', ntasks_per_node: 1, extra: '--cpus-per-task=6' })
    const [full] = plan(jobsOf(9, setOf('s')), { partition: 'shared' }).groups
    expect(full!.scheduler).toMatchObject({ mem: '16384m', extra: '--cpus-per-task=8' })
  })

  test('stays below the limit of a partition, in whole minutes', () => {
    const walltime = (seconds: number) =>
      plan(jobsOf(1, setOf('s', { runtimeSeconds: seconds }))).groups[0]!.scheduler.walltime
    expect(walltime(100)).toBe('00:03:00')
    expect(walltime(3 * HOUR)).toBe('04:00:00')
    const endless = [partitionOf('endless', { maxWalltimeSeconds: Infinity })]
    const options = { walltimeStrategy: 'max-partition-time' } as const
    expect(plan(jobsOf(1, setOf('s')), options, endless).groups[0]!.scheduler.walltime).toBe('01:30:00')
  })

  test('says of sets that fit nowhere why, and finds names that are free', () => {
    const { groups, unplaced } = plan([...jobsOf(2, setOf('huge', { cpus: 64 })), ...jobsOf(1, setOf('small'))], {
      taken: ['whole_scheduler', 'whole_scheduler_2'],
      partition: 'whole',
    })
    expect(groups.map(group => group.scheduler.name)).toEqual(['whole_scheduler_3'])
    expect(unplaced).toEqual([{ set: 'huge', jobs: 2, reasons: ['whole: 64 CPUs of 8'] }])
  })

  test('plans nothing for nothing', () => {
    expect(plan([])).toEqual({ groups: [], unplaced: [] })
  })
})
