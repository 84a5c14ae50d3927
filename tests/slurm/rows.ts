import type { SlurmScheduler, SlurmWorkflow } from '../../runner/slurm/rows.ts'

export const schedulerOf = (fields: Partial<SlurmScheduler> = {}): SlurmScheduler => ({
  id: 3,
  workflow_id: 1,
  name: 'small',
  account: 'physics',
  nodes: 1,
  walltime: '01:00:00',
  serialize_allocations: false,
  ...fields,
})

export const slurmWorkflowOf = (fields: Partial<SlurmWorkflow> = {}): SlurmWorkflow => ({
  id: 1,
  name: 'w',
  run_id: 0,
  ...fields,
})
