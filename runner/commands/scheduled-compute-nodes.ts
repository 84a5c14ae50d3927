import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'scheduled-compute-nodes',
  one: 'scheduled compute node',
  many: 'scheduled compute nodes',
  about: 'Allocations asked for from a batch scheduler.',
  ...flatPaths('/scheduled_compute_nodes'),
  columns: ['id', 'scheduler_id', 'scheduler_config_id', 'scheduler_type', 'status'],
  fields: {
    scheduler_id: { kind: 'integer', about: 'id that the scheduler gave the allocation', required: true },
    scheduler_config_id: { kind: 'integer', about: 'scheduler of the workflow it was asked for by', required: true },
    scheduler_type: { kind: 'text', about: 'slurm or another word', required: true },
    status: { kind: 'text', about: 'pending, active, complete or canceled', required: true },
  },
  filters: {
    status: { kind: 'text', about: 'only those of this status' },
    scheduler_id: { kind: 'integer', about: 'only the one with this id at the scheduler' },
    scheduler_config_id: { kind: 'integer', about: 'only those asked for by this scheduler of the workflow' },
  },
  example: {
    create: '--scheduler-id 4711 --scheduler-config-id 1 --scheduler-type slurm --status pending',
    update: '--status complete',
  },
})
