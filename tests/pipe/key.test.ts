import { describe, expect, it } from 'vitest'
import { elementSize, leastWalltime, workingSeconds } from '../../api/core/pipe/element.ts'
import { firstDifference, keyText, type PipeKey, runtimeClass } from '../../api/core/pipe/key.ts'
import { canPipeMove, isPipeOver, PIPE_STATES } from '../../api/core/pipe/state.ts'

const KEY: PipeKey = {
  num_cpus: 2,
  memory: 2 ** 30,
  num_gpus: 0,
  num_nodes: 1,
  runtime: 'up to 1 h',
  scheduler_id: null,
  invocation_script: null,
  labels: '',
  family: 'opt',
  tags: { method: 'dft', basis: 'tzvp' },
}

describe('firstDifference()', () => {
  it.each<[string, Partial<PipeKey>]>([
    ['num_cpus', { num_cpus: 4 }],
    ['memory', { memory: 2 ** 31 }],
    ['num_gpus', { num_gpus: 1 }],
    ['num_nodes', { num_nodes: 2 }],
    ['runtime', { runtime: 'up to 4 h' }],
    ['scheduler_id', { scheduler_id: 7 }],
    ['invocation_script', { invocation_script: 'module load orca\n' }],
    ['labels', { labels: 'gpu' }],
    ['family', { family: 'sp' }],
    ['tags.method', { tags: { method: 'mp2', basis: 'tzvp' } }],
    ['tags.basis', { tags: { method: 'dft' } }],
    ['tags.solvent', { tags: { ...KEY.tags, solvent: 'water' } }],
  ])('S27 names %s', (field, change) => {
    expect(firstDifference(KEY, { ...KEY, ...change })).toMatchObject({ field })
    expect(keyText({ ...KEY, ...change })).not.toBe(keyText(KEY))
  })

  it('names the first field of several, and none of equal keys', () => {
    expect(firstDifference(KEY, { ...KEY, family: 'sp', num_cpus: 8 })).toEqual({ field: 'num_cpus', values: [2, 8] })
    const reordered = { ...KEY, tags: { basis: 'tzvp', method: 'dft' } }
    expect(firstDifference(KEY, reordered)).toBeUndefined()
    expect(keyText(reordered)).toBe(keyText(KEY))
  })
})

it.each([
  [1, 'up to 10 min'],
  [600, 'up to 10 min'],
  [601, 'up to 1 h'],
  [86_401, 'over 1 d'],
])('runtimeClass() puts %d s into "%s"', (seconds, name) => {
  expect(runtimeClass(seconds)).toBe(name)
})

it('elementSize() asks for the jobs of all slots and for the runner, whose addresses count in Grid Engine', () => {
  expect(elementSize(KEY, 3, 'slurm')).toEqual({ cores: 6, memoryBytes: 3 * 2 ** 30 + 512 * 2 ** 20, gpus: 0 })
  expect(elementSize(KEY, 1, 'sge').memoryBytes).toBe(3 * 2 ** 30)
})

it('leastWalltime() refuses a wall time that equals the estimate, and workingSeconds() leaves time to end in order', () => {
  expect(leastWalltime(3600)).toBeGreaterThan(3600)
  expect(workingSeconds(3600)).toBe(3600 - 60 - 360)
  expect(workingSeconds(100_000)).toBe(100_000 - 600)
  expect(workingSeconds(60)).toBe(30)
})

it('the states of a run that is over lead nowhere, and no state leads to itself', () => {
  for (const from of PIPE_STATES) {
    expect(canPipeMove(from, from)).toBe(false)
    expect(PIPE_STATES.some(to => canPipeMove(from, to))).toBe(!isPipeOver(from))
  }
})
