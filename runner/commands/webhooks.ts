import { nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'webhooks',
  one: 'webhook',
  many: 'webhooks',
  about: 'Addresses that the server tells what happens in a workflow. It has to allow their hosts (--webhook-host).',
  takesWorkflow: true,
  readFromList: true,
  listPath: workflowId => `/workflows/${workflowId}/webhooks`,
  itemPath: (id, workflowId) => `/workflows/${workflowId}/webhooks/${id}`,
  columns: ['id', 'url', 'events', 'is_enabled', 'delivered_at', 'failures', 'last_error'],
  verbs: ['list', 'get', 'create', 'delete'],
  fields: {
    // Not --url, which names the server.
    address: { kind: 'text', about: 'where events are sent to', hint: 'URL', required: true },
    events: { kind: 'texts', about: 'types of events, such as job_failed or workflow_ended (default: all)' },
    secret: {
      kind: 'text',
      about: 'what deliveries are signed with, as whsec_ and Base64 (default: made up; --format json shows it)',
    },
  },
  newBody: ({ address, ...given }) => ({ ...given, url: address }),
  example: { create: '--address https://hooks.example.org/jobs --events job_failed,workflow_ended --format json' },
})
