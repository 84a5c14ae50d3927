import { nounGroup } from '../nouns/noun.ts'

export default nounGroup(
  {
    name: 'events',
    one: 'event',
    many: 'events',
    about: 'What has happened to a workflow, and what happens while one looks.',
    listPath: workflowId => `/events?workflow_id=${workflowId}`,
    // The server sets its own time; the contract wants one in the body.
    createPath: () => '/events',
    itemPath: id => `/events/${id}`,
    columns: [],
    verbs: ['get', 'create', 'update', 'delete'],
    fields: { data: { kind: 'json', about: 'what has happened, as an object', required: true } },
    newBody: given => ({ timestamp: Date.now(), ...given }),
    changeBody: given => given.data,
    example: {
      create: `--data '{"category": "note", "message": "mesh checked"}'`,
      update: `--data '{"category": "note"}'`,
    },
  },
  { list: { about: 'list events, or show them as they happen', load: () => import('./list-events.ts') } },
  'list',
)
