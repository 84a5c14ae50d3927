import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { CommandResult, CommandRunner } from '../../runner/schedulers/command.ts'
import { parseSacct, parseSstat } from '../../runner/slurm/accounting.ts'
import { attemptsOf, readAccounting, usageOf } from '../../runner/slurm/usage.ts'

const sample = (name: string): string => readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8')
const SACCT = sample('sacct.txt')
const SSTAT = sample('sstat.txt')
const KIB = 1024

describe('parseSacct()', () => {
  test('reads allocations and their steps', () => {
    const rows = parseSacct(SACCT)!
    expect(rows.map(row => [row.allocation, row.step, row.state])).toEqual([
      ['4711', undefined, 'COMPLETED'],
      ['4711', 'batch', 'COMPLETED'],
      ['4711', 'extern', 'COMPLETED'],
      ['4711', '0', 'COMPLETED'],
      ['4711', '1', 'OUT_OF_MEMORY'],
      ['4712', undefined, 'CANCELLED'],
      ['4713', undefined, 'RUNNING'],
      ['4713', 'batch', 'RUNNING'],
      ['4713', '0', 'RUNNING'],
    ])
    expect(rows[3]).toEqual({
      allocation: '4711',
      step: '0',
      name: 'hr_j17_r0_a1',
      state: 'COMPLETED',
      exitCode: 0,
      elapsedSeconds: 125,
      nodes: 1,
      cpus: 2,
      totalCpuSeconds: 241.5,
      aveCpuSeconds: 241,
      maxRssBytes: 204_800 * KIB,
      maxVmSizeBytes: 512_000 * KIB,
      maxDiskReadBytes: Math.round(1.5 * KIB ** 2),
      maxDiskWriteBytes: Math.round(0.25 * KIB ** 2),
      nodeList: 'n1',
    })
  })

  test('reads a name with bars, an exit by a signal, CPU time of days, and what was not measured', () => {
    const [row] = parseSacct('9|a|b|FAILED|0:9|60|1|1|1-02:03:04|||||||'.replace('|||||||', '||||||None assigned'))!
    expect(row).toMatchObject({ name: 'a|b', exitCode: 137, totalCpuSeconds: 93_784 })
    expect(row).toMatchObject({ maxRssBytes: undefined, aveCpuSeconds: undefined, nodeList: undefined })
  })

  test.each(['Slurm accounting storage is disabled', '4711|x|COMPLETED|0:0|Unknown|1|1|||||||'])(
    'takes a text with the line %s for no listing',
    line => {
      expect(parseSacct(`${SACCT}${line}\n`)).toBeUndefined()
    },
  )
})

test('parseSstat() reads running steps and passes over what is none', () => {
  expect(parseSstat(`${SSTAT}sstat: error: couldn't get steps for job 9\n`)).toEqual([
    {
      allocation: '4713',
      step: 'batch',
      aveCpuSeconds: 2,
      maxRssBytes: 65_000 * KIB,
      maxVmSizeBytes: 900_000 * KIB,
      maxDiskReadBytes: 10,
      maxDiskWriteBytes: 0,
    },
    expect.objectContaining({ step: '0', maxRssBytes: 1_048_576 * KIB, aveCpuSeconds: 55 }),
  ])
})

test('usageOf() sums up what was given and used, with the memory of the largest step', () => {
  const [first, second] = usageOf(parseSacct(SACCT)!)
  expect(first).toMatchObject({ allocation: '4711', nodeHours: 0.2, cpuHours: 1.6, maxRssBytes: 1_048_576 * KIB })
  expect(first!.cpuEfficiency).toBeCloseTo(1440 / (8 * 720))
  expect(second).toMatchObject({ elapsedSeconds: 0, cpuHours: 0, cpuEfficiency: undefined, maxRssBytes: undefined })
})

test('attemptsOf() finds the attempts by the names of their steps', () => {
  const attempts = attemptsOf(parseSacct(SACCT)!)
  expect(attempts.map(({ jobId, runId, attemptId, allocation }) => [jobId, runId, attemptId, allocation])).toEqual([
    [17, 0, 1, '4711'],
    [18, 0, 2, '4711'],
    [19, 0, 1, '4713'],
  ])
})

describe('readAccounting()', () => {
  const said = (stdout: string): CommandResult => ({ kind: 'exited', code: 0, stdout, stderr: '' })
  const slurm = (answers: Record<string, CommandResult>, asked: string[] = []): CommandRunner => {
    return async argv => {
      asked.push(argv.join(' '))
      return answers[argv[0]]!
    }
  }

  test('asks once for all allocations, and sstat for those that run, whose measures win', async () => {
    const asked: string[] = []
    const found = await readAccounting(slurm({ sacct: said(SACCT), sstat: said(SSTAT) }, asked), ['4711', '4713'])
    expect(asked).toHaveLength(2)
    expect(asked[0]).toContain('-j 4711,4713')
    expect(asked[1]).toContain('-j 4713')
    const step = 'rows' in found ? found.rows.at(-1) : undefined
    expect(step).toMatchObject({ name: 'hr_j19_r0_a1', maxRssBytes: 1_048_576 * KIB })
  })

  test('does without sstat, and says why there is no accounting', async () => {
    const missing: CommandResult = { kind: 'missing', message: 'not on PATH' }
    expect(await readAccounting(slurm({ sacct: said(SACCT), sstat: missing }), ['4711'])).toMatchObject({ rows: {} })
    const off = { kind: 'exited', code: 1, stdout: '', stderr: 'Slurm accounting storage is disabled\n' } as const
    expect(await readAccounting(slurm({ sacct: off }), ['1'])).toEqual({
      trouble: 'Slurm accounting storage is disabled',
    })
  })
})
