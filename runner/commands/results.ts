import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup(
  {
    name: 'results',
    one: 'result',
    many: 'results',
    about: 'How attempts of jobs ended.',
    ...flatPaths('/results'),
    columns: [],
    verbs: ['get', 'delete'],
    fields: {},
  },
  { list: { about: "list the results of a workflow's jobs", load: () => import('./list-results.ts') } },
  'list',
)
