import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'user-data',
  one: 'user data',
  many: 'user data',
  about: 'The JSON values that jobs hand to each other.',
  ...flatPaths('/user_data'),
  columns: ['id', 'name', 'is_ephemeral', 'data'],
  fields: {
    name: { kind: 'text', about: 'name in the workflow', required: true },
    data: { kind: 'json', about: 'the value' },
    is_ephemeral: { kind: 'truth', about: 'whether it goes when the workflow starts over' },
  },
  filters: {
    name: { kind: 'text', about: 'only those whose name has this part' },
    consumer_job_id: { kind: 'integer', about: 'only inputs of this job', hint: 'JOB' },
    producer_job_id: { kind: 'integer', about: 'only outputs of this job', hint: 'JOB' },
    is_ephemeral: { kind: 'truth', about: 'only those that go when the workflow starts over, or that stay' },
  },
  example: { create: `--name limits --data '{"max": 7}'`, update: '--data @limits.json' },
})
