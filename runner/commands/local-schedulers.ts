import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'local-schedulers',
  one: 'local scheduler',
  many: 'local schedulers',
  about: 'What a runner outside a batch system offers.',
  ...flatPaths('/local_schedulers'),
  columns: ['id', 'name', 'num_cpus', 'memory'],
  fields: {
    name: { kind: 'text', about: 'name in the workflow' },
    num_cpus: { kind: 'integer', about: 'CPUs' },
    memory: { kind: 'text', about: 'memory, such as 16g', hint: 'SIZE' },
  },
  example: { create: '--name desk --num-cpus 8 --memory 16g', update: '--memory 32g' },
})
