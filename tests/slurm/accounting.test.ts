import { describe, expect, test } from 'vitest'
import type { CommandResult, CommandRunner } from '../../runner/schedulers/command.ts'
import { type AccountingRow, parseSacct, parseSstat } from '../../runner/slurm/accounting.ts'
import { attemptsOf, readAccounting, usageOf } from '../../runner/slurm/usage.ts'
import { askedFor, recordingOf, replay } from './recorded.ts'

const KIB = 1024
const MIB = KIB ** 2

/** The rows of a recording; each run of its script has other ids, so steps are told by name. */
const rowsOf = (name: string): AccountingRow[] => parseSacct(recordingOf(name).stdout)!
const rowOf = (recording: string, name: string): AccountingRow => rowsOf(recording).find(row => row.name === name)!

/** What jobs of the script have held is known from below; Python and the interval of sampling add some. */
const between = (least: number, most: number) => ({
  asymmetricMatch: (value: unknown) => typeof value === 'number' && value >= least && value <= most,
  toString: () => `from ${least} to ${most}`,
})

describe('parseSacct()', () => {
  test('reads an allocation of two nodes and each of its steps', () => {
    const [id] = askedFor('steps')
    const rows = rowsOf('steps')
    expect(rows[0]).toEqual({
      allocation: id,
      step: undefined,
      name: 'hr-00000001',
      state: 'COMPLETED',
      elapsedSeconds: between(4, 10),
      nodes: 2,
      cpus: 8,
      totalCpuSeconds: between(3, 10),
      nodeList: 'n[1-2]',
    })
    expect(rows.slice(1, 3).map(row => [row.step, row.name])).toEqual([
      ['batch', 'batch'],
      ['extern', 'extern'],
    ])
    const states = rows.slice(3).map(row => [row.name, row.state])
    expect(Object.fromEntries(states)).toEqual({
      hr_j1_r0_a1: 'COMPLETED',
      hr_j2_r0_a1: 'COMPLETED',
      hr_j3_r0_a1: 'FAILED',
      // A signal of its own, of a user, and of the kernel.
      hr_j4_r0_a1: 'CANCELLED',
      hr_j6_r0_a1: 'CANCELLED',
      hr_j5_r0_a1: 'OUT_OF_MEMORY',
      hr_j5_r0_a2: 'COMPLETED',
    })
    expect(rows.every(row => row.allocation === id)).toBe(true)
  })

  test('reads memory, CPU time and bytes of a step', () => {
    // 150 MiB, and four seconds of which nearly all were busy.
    expect(rowOf('steps', 'hr_j1_r0_a1')).toMatchObject({
      maxRssBytes: between(150 * MIB, 180 * MIB),
      maxVmSizeBytes: between(150 * MIB, 300 * MIB),
      aveCpuSeconds: between(2, 4),
      totalCpuSeconds: between(2, 5),
      nodes: 1,
      cpus: 1,
      elapsedSeconds: between(4, 6),
    })
    // Written before it failed, and read from /dev/zero.
    expect(rowOf('steps', 'hr_j3_r0_a1')).toMatchObject({
      maxDiskReadBytes: between(30 * MIB, 31 * MIB),
      maxDiskWriteBytes: 30 * MIB,
    })
    expect(rowOf('steps', 'hr_j2_r0_a1')).toMatchObject({ nodes: 2, nodeList: 'n[1-2]' })
  })

  test('reads allocations that ended in other ways, and what was not measured', () => {
    const rows = rowsOf('ended').filter(row => row.step === undefined)
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ['hr-00000002', 'TIMEOUT'],
      ['night|of the 1st', 'FAILED'],
      ['hr-00000004', 'CANCELLED'],
      ['hr-00000005', 'CANCELLED'],
      // An array: its second element has the number of the whole.
      ['hr-00000003', 'FAILED'],
      ['hr-00000003', 'FAILED'],
      ['hr-00000010', 'PREEMPTED'],
      ['hr-00000009', 'NODE_FAIL'],
    ])
    const [timeout, , , neverStarted] = rows
    // A limit of one minute, which Slurm looks at now and then.
    expect(timeout).toMatchObject({ elapsedSeconds: between(60, 100), maxRssBytes: undefined, nodeList: 'n1' })
    expect(neverStarted).toMatchObject({ elapsedSeconds: 0, nodeList: undefined, aveCpuSeconds: undefined })
    const ids = rows.map(row => row.allocation)
    expect(askedFor('ended').every(id => ids.includes(id))).toBe(true)
    expect(new Set(ids).size).toBe(8)
  })

  test('reads both lives of a requeued allocation, with steps of the same number', () => {
    const rows = rowsOf('requeued').filter(row => row.step === undefined || row.step === '0')
    expect(rows.map(({ name, step, state }) => [name, step, state])).toEqual([
      ['hr-00000008', undefined, 'REQUEUED'],
      ['hr_j9_r0_a1', '0', 'CANCELLED'],
      ['hr-00000008', undefined, 'COMPLETED'],
      ['hr_j9_r0_a2', '0', 'COMPLETED'],
    ])
    const waits = rowsOf('requeued-waits').filter(row => row.step === undefined)
    expect(waits.map(row => row.state)).toEqual(['REQUEUED', 'PENDING'])
  })

  test('reads CPU time of more than a day, which no recording has', () => {
    expect(parseSacct('9|x|COMPLETED|93784|1|1|1-02:03:04||||||n1')).toMatchObject([{ totalCpuSeconds: 93_784 }])
  })

  test('finds no rows where sacct knows nothing of an id, and no listing in what it says in trouble', () => {
    expect(rowsOf('unknown')).toEqual([])
    for (const name of ['away', 'no-accounts']) expect(parseSacct(recordingOf(name).stderr)).toBeUndefined()
    expect(parseSacct(`${recordingOf('steps').stdout}4711|x|COMPLETED|Unknown|1|1|||||||\n`)).toBeUndefined()
  })
})

describe('parseSstat()', () => {
  test('reads running steps, with units and without', () => {
    const [id] = askedFor('running-sstat')
    const steps = parseSstat(recordingOf('running-sstat').stdout)
    expect(steps.map(({ allocation, step }) => [allocation, step])).toEqual([
      [id, 'extern'],
      [id, 'batch'],
      [id, '0'],
      [id, '1'],
    ])
    expect(steps[2]).toMatchObject({
      maxRssBytes: between(1300 * MIB, 1330 * MIB),
      aveCpuSeconds: between(3, 10),
      maxDiskReadBytes: between(MIB, 3 * MIB),
    })
  })

  test('finds none in what it says of an allocation that is over', () => {
    const { code, stdout, stderr } = recordingOf('ended-sstat')
    expect({ code, steps: parseSstat(stdout) }).toEqual({ code: 0, steps: [] })
    expect(stderr).toContain("couldn't get steps for job")
    expect(parseSstat(stderr)).toEqual([])
  })
})

describe('usageOf()', () => {
  test('sums up what was given and used, with the memory of the largest step', () => {
    const [row] = rowsOf('steps')
    expect(usageOf(rowsOf('steps'))).toEqual([
      {
        allocation: row!.allocation,
        state: 'COMPLETED',
        nodes: 2,
        cpus: 8,
        elapsedSeconds: row!.elapsedSeconds,
        nodeHours: (2 * row!.elapsedSeconds) / 3600,
        cpuHours: (8 * row!.elapsedSeconds) / 3600,
        cpuEfficiency: row!.totalCpuSeconds! / (8 * row!.elapsedSeconds),
        maxRssBytes: rowOf('steps', 'hr_j1_r0_a1').maxRssBytes,
      },
    ])
  })

  test('keeps the lives of a requeued allocation apart', () => {
    const [first, second, ...more] = usageOf(rowsOf('requeued'))
    expect(more).toEqual([])
    // 60 MiB the first time, 100 the second.
    expect(first).toMatchObject({ state: 'REQUEUED', maxRssBytes: between(60 * MIB, 85 * MIB) })
    expect(second).toMatchObject({ state: 'COMPLETED', maxRssBytes: between(100 * MIB, 125 * MIB) })
  })

  test('says nothing of CPU time that is not known yet, and of none that was given', () => {
    const usage = usageOf([...rowsOf('running-sacct'), ...rowsOf('ended')])
    const efficiency = Object.fromEntries(usage.map(one => [one.state, one.cpuEfficiency]))
    expect(efficiency).toMatchObject({ RUNNING: undefined, PENDING: undefined, TIMEOUT: between(0, 1) })
    expect(usage.find(one => one.elapsedSeconds === 0)).toMatchObject({ cpuHours: 0, maxRssBytes: undefined })
  })
})

test('attemptsOf() finds the attempts by the names of their steps, in all lives of an allocation', () => {
  const attempts = attemptsOf(rowsOf('requeued'))
  expect(attempts.map(({ jobId, runId, attemptId }) => [jobId, runId, attemptId])).toEqual([
    [9, 0, 1],
    [9, 0, 2],
  ])
  expect(attempts[0]).toMatchObject({ allocation: askedFor('requeued')[0], nodeList: 'n1' })
})

describe('readAccounting()', () => {
  const read = (sacct: string, ...more: string[]) => readAccounting(replay(sacct, ...more), askedFor(sacct))

  test('asks as was recorded, and sstat for what runs, whose measures win', async () => {
    const found = await read('running-sacct', 'running-sstat')
    const rows = 'rows' in found ? found.rows : []
    const step = rows.find(row => row.name === 'hr_j7_r0_a1')
    expect(step).toMatchObject({ state: 'RUNNING', maxRssBytes: between(1300 * MIB, 1330 * MIB) })
    expect(rows.find(row => row.name === 'hr-00000007')).toMatchObject({ state: 'PENDING' })
    expect(usageOf(rows)[0]).toMatchObject({ state: 'RUNNING', maxRssBytes: step?.maxRssBytes })
  })

  test('asks sacct alone when nothing runs', async () => {
    for (const name of ['steps', 'ended', 'requeued', 'requeued-waits', 'unknown'])
      expect(await read(name)).toEqual({ rows: rowsOf(name) })
  })

  test('says why there is no accounting', async () => {
    expect(await read('no-accounts')).toEqual({ trouble: 'Slurm accounting storage is disabled' })
    expect(await read('away')).toEqual({ trouble: expect.stringContaining('Connection refused') })
  })

  test('does without sstat', async () => {
    const sacct = replay('running-sacct')
    const missing: CommandResult = { kind: 'missing', message: 'not on PATH' }
    const run: CommandRunner = async (argv, options) => (argv[0] === 'sstat' ? missing : sacct(argv, options))
    expect(await readAccounting(run, askedFor('running-sacct'))).toEqual({ rows: rowsOf('running-sacct') })
  })

  test('does not give the measures of a new life to steps of the former', async () => {
    // Self-written: the recorded one waits.
    const rows = '7|x|REQUEUED|5|1|1|00:01||||||n1\n7.0|s|CANCELLED|5|1|1|00:01|00:00:01|5K|||0|n1\n'
    const again = '7|x|RUNNING|5|1|1|||||||n1\n7.0|s|RUNNING|5|1|1|||||||n1\n'
    const said = (stdout: string): CommandResult => ({ kind: 'exited', code: 0, stdout, stderr: '' })
    const found = await readAccounting(
      async ([program]) => said(program === 'sacct' ? rows + again : '7.0|00:00:02|9K|||0\n'),
      ['7'],
    )
    const peaks = 'rows' in found ? found.rows.map(row => row.maxRssBytes) : []
    expect(peaks).toEqual([undefined, 5 * KIB, undefined, 9 * KIB])
  })
})
