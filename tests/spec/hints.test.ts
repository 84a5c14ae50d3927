import { describe, expect, test } from 'vitest'
import { didYouMean, editDistance, nearest } from '../../api/core/spec/hints.ts'
import { loadText } from './fixture-env.ts'

describe('editDistance()', () => {
  test.each([
    ['command', 'comand', 1],
    ['command', 'commnad', 1],
    ['', 'abc', 3],
    ['retry', 'retries', 3],
    ['same', 'same', 0],
    ['ca', 'abc', 3],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
  })
})

describe('nearest()', () => {
  test('allows two changes in short words, a third of the letters in long ones', () => {
    expect(nearest('nmae', ['name', 'env'])).toBe('name')
    expect(nearest('abc', ['xyz'])).toBeUndefined()
    expect(nearest('resource_requirments', ['resource_requirements'])).toBe('resource_requirements')
    expect(nearest('wait_for_jobs_secs', ['wait_for_new_jobs_secs'])).toBe('wait_for_new_jobs_secs')
  })
})

describe('didYouMean()', () => {
  test('lists the words when none is near, and nothing when there are none', () => {
    expect(didYouMean('zzzzzz', ['a', 'b'])).toBe('one of: a, b')
    expect(didYouMean('zzzzzz', [])).toBeUndefined()
  })
})

describe('hints for usual mistakes', () => {
  test.each([
    ['slurm_config: 1', 'execution_config'],
    ['use_srun: true', 'mode: slurm'],
    ['sort_method: none', 'jobs_sort_method'],
    ['limit_resources: true', 'inside execution_config'],
    ['resource_requirements: [{ name: a, cpus: 1, memory: 1g }]', 'num_cpus'],
    ['resource_requirements: [{ name: a, num_cpus: 1, mem: 1g }]', 'memory'],
    ['resource_requirements: [{ name: a, num_cpus: 1, memory: 1g, walltime: x }]', 'runtime'],
    ['slurm_schedulers: [{ name: a, account: a, time: x }]', 'walltime'],
    ['slurm_schedulers: [{ name: a, account: a, num_nodes: 1 }]', 'nodes'],
    ['slurm_schedulers: [{ name: a, account: a, memory: 1g }]', 'mem'],
    ['env: { OMP_NUM_THREADS: 8 }', 'write "8"'],
    ['use_pending_failed: "true"', 'write true'],
    ['files: [{ name: a, path: a, st_mtime: "5" }]', 'write 5'],
    ['access_groups: team', 'write ["team"]'],
    ['resource_requirements: [{ name: a, num_cpus: 4.0, memory: 1g }]', 'write 4'],
  ])('%s', async (line, hint) => {
    const { diagnostics } = await loadText(`name: x\njobs: []\n${line}\n`)
    expect(diagnostics).toHaveLength(1)
    expect(diagnostics[0]?.hint).toContain(hint)
  })

  test.each(['deps', 'needs', 'after', 'blocked_by', 'depends_on_job'])('%s in a job means depends_on', async key => {
    const { diagnostics } = await loadText(`name: x\njobs: [{ name: a, command: a, ${key}: [] }]\n`)
    expect(diagnostics[0]?.hint).toBe('write depends_on')
  })
})
