import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'resource-requirements',
  one: 'resource requirement set',
  many: 'resource requirement sets',
  about: 'What jobs require of a node.',
  ...flatPaths('/resource_requirements'),
  columns: ['id', 'name', 'num_cpus', 'num_gpus', 'num_nodes', 'memory', 'runtime'],
  fields: {
    name: { kind: 'text', about: 'name in the workflow', required: true },
    num_cpus: { kind: 'integer', about: 'CPUs (1 unless given)' },
    num_gpus: { kind: 'integer', about: 'GPUs (0 unless given)' },
    num_nodes: { kind: 'integer', about: 'nodes (1 unless given)' },
    memory: { kind: 'text', about: 'memory, such as 512m or 4g', hint: 'SIZE' },
    runtime: { kind: 'text', about: 'longest time, such as PT1H30M', hint: 'TIME' },
  },
  filters: { name: { kind: 'text', about: 'only those whose name has this part' } },
  example: { create: '--name large --num-cpus 8 --memory 32g --runtime PT2H', update: '--memory 64g' },
})
