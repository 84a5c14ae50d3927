import { nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'failure-handlers',
  one: 'failure handler',
  many: 'failure handlers',
  about: 'Rules by which failed jobs are tried again.',
  listPath: workflowId => `/workflows/${workflowId}/failure_handlers`,
  createPath: () => '/failure_handlers',
  itemPath: id => `/failure_handlers/${id}`,
  columns: ['id', 'name', 'rules'],
  // The contract has no way to change one.
  verbs: ['list', 'get', 'create', 'delete'],
  fields: {
    name: { kind: 'text', about: 'name in the workflow', required: true },
    rules: { kind: 'text', about: 'the rules, as the text of a JSON array of objects', hint: 'JSON', required: true },
  },
  example: { create: `--name patient --rules '[{"exit_codes": [75], "max_retries": 3}]'` },
})
