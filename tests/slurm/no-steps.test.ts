import { expect, test } from 'vitest'
import { describeNoSteps } from '../../runner/start/no-steps.ts'

const INSIDE = { SLURM_JOB_ID: '9', SLURM_JOB_NODELIST: 'n1', SLURM_CPUS_ON_NODE: '4' }

test('describeNoSteps() says which workflow wants steps of Slurm that it does not get', () => {
  expect(describeNoSteps(3, { mode: 'slurm' }, INSIDE)).toContain('`runner run 3` makes steps')
  expect(describeNoSteps(3, { mode: 'auto' }, INSIDE)).toBeDefined()
})

test('describeNoSteps() has nothing to say of processes, nor outside of Slurm', () => {
  expect(describeNoSteps(3, { mode: 'direct' }, INSIDE)).toBeUndefined()
  expect(describeNoSteps(3, {}, INSIDE)).toBeUndefined()
  expect(describeNoSteps(3, { mode: 'slurm' }, {})).toBeUndefined()
})
