import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'slurm-schedulers',
  one: 'Slurm scheduler',
  many: 'Slurm schedulers',
  about: 'What an allocation of a workflow asks Slurm for.',
  ...flatPaths('/slurm_schedulers'),
  columns: ['id', 'name', 'account', 'partition', 'nodes', 'walltime', 'mem', 'gres', 'qos'],
  fields: {
    name: { kind: 'text', about: 'name in the workflow' },
    account: { kind: 'text', about: 'account that pays', required: true },
    nodes: { kind: 'integer', about: 'nodes of an allocation', required: true },
    walltime: { kind: 'text', about: 'how long it lasts, as 04:00:00', hint: 'TIME', required: true },
    partition: { kind: 'text', about: 'partition' },
    qos: { kind: 'text', about: 'quality of service' },
    gres: { kind: 'text', about: 'generic resources, such as gpu:2' },
    mem: { kind: 'text', about: 'memory of a node', hint: 'SIZE' },
    ntasks_per_node: { kind: 'integer', about: 'tasks on a node' },
    tmp: { kind: 'text', about: 'local disk of a node', hint: 'SIZE' },
    extra: { kind: 'text', about: 'more options for sbatch' },
    serialize_allocations: { kind: 'truth', about: 'whether one allocation waits for the one before' },
  },
  example: { create: '--account physics --nodes 1 --walltime 04:00:00', update: '--partition short' },
})
