import { describe, expect, test } from 'vitest'
import type { CommandResult } from '../../runner/schedulers/command.ts'
import type { PlannedGroup } from '../../runner/slurm/plan-schedulers.ts'
import { parsePrediction, predictStart, recommend, type Strategy, strategiesOf } from '../../runner/slurm/strategies.ts'

const groupOf = (numAllocations: number, nodes = 1): PlannedGroup => ({
  scheduler: {
    name: 's',
    account: 'a',
    partition: 'p',
    nodes,
    walltime: '01:00:00',
    mem: '4g',
    extra: '--cpus-per-task=4',
  },
  walltimeSeconds: 3600,
  sets: ['small'],
  actions: [{ jobs: ['j'], numAllocations, perNode: false }],
})

const strategyOf = (fields: Partial<Strategy>): Strategy => ({
  name: 'many-small',
  allocations: 1,
  nodes: 1,
  walltimeSeconds: 3600,
  ...fields,
})

describe('strategiesOf()', () => {
  test('compares many allocations with one large, as large as there may be', () => {
    const sizes = strategiesOf(groupOf(10), 4).map(({ name, allocations, nodes }) => [name, allocations, nodes])
    expect(sizes).toEqual([
      ['many-small', 10, 1],
      ['one-large', 3, 4],
    ])
  })

  test('has nothing to compare for one node, or for jobs of several', () => {
    expect(strategiesOf(groupOf(1), 4)).toHaveLength(1)
    expect(strategiesOf(groupOf(5, 2), 4)).toHaveLength(1)
  })
})

describe('predictStart()', () => {
  const ask = (result: CommandResult, asked: string[][] = []) =>
    predictStart(strategyOf({}), groupOf(1), async argv => {
      asked.push([...argv])
      return result
    })
  const ended = (code: number, stderr: string): CommandResult => ({ kind: 'exited', code, stdout: '', stderr })

  test('asks for one such allocation without submitting it', async () => {
    const asked: string[][] = []
    const words = 'sbatch: Job 12 to start at 2026-11-21T18:00:00 using 4 processors on nodes n1 in partition p\n'
    expect(await ask(ended(0, words), asked)).toEqual({ startMs: Date.parse('2026-11-21T18:00:00') })
    expect(asked[0]).toEqual(expect.arrayContaining(['--test-only', '--time=60', '--mem=4g', '--cpus-per-task=4']))
  })

  test("keeps Slurm's words when it refuses or is not there", async () => {
    const refused = await ask(ended(1, 'allocation failure: Invalid account\nmore'))
    expect(refused).toEqual({ trouble: 'allocation failure: Invalid account' })
    expect(await ask({ kind: 'missing', message: 'not on PATH' })).toEqual({ trouble: 'not on PATH' })
  })

  test('parsePrediction() knows no other words', () => {
    expect(parsePrediction('sbatch: error: nothing')).toBeUndefined()
  })
})

describe('recommend()', () => {
  const small = strategyOf({ startMs: 1_000 })
  const large = strategyOf({ name: 'one-large' })

  test('takes what starts first, many small ones where that is not known', () => {
    expect(recommend([small, { ...large, startMs: 500 }]).name).toBe('one-large')
    expect(recommend([small, { ...large, startMs: 1_000 }]).name).toBe('many-small')
    expect(recommend([strategyOf({}), large]).name).toBe('many-small')
  })

  test('passes over what Slurm refuses', () => {
    expect(recommend([{ ...small, trouble: 'no' }, large]).name).toBe('one-large')
  })
})
