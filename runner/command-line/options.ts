/** Options that several commands share, in citty's form. */

export const FORMAT = {
  format: { type: 'string', valueHint: 'table|json', description: 'table for people (default) or json: one document' },
} as const

/** The workflow a command is about; without it the newest is meant. */
export const WORKFLOW = {
  workflow: {
    type: 'positional',
    required: false,
    valueHint: 'WORKFLOW',
    description: 'id or name of the workflow (default: the newest)',
  },
} as const

/** The same for commands that change so much that the workflow has to be named. */
export const NAMED_WORKFLOW = {
  workflow: { type: 'positional', required: true, valueHint: 'WORKFLOW', description: 'id or name of the workflow' },
} as const

/** Where a job is looked for that is named. */
export const IN_WORKFLOW = {
  workflow: {
    type: 'string',
    valueHint: 'WORKFLOW',
    description: 'workflow in which to look for the name (default: the newest)',
  },
} as const

/** Which part of a list, and in which order. */
export const PAGE = {
  limit: { type: 'string', valueHint: 'N', description: 'at most this many (default: all)' },
  offset: { type: 'string', valueHint: 'N', description: 'leave out this many at the start' },
  'sort-by': { type: 'string', valueHint: 'FIELD', description: 'order by this field (default: id)' },
  'reverse-sort': { type: 'boolean', description: 'the other way round' },
} as const

/** How a command finds the control plane it asks. */
export const CONTROL_PLANE = {
  url: {
    type: 'string',
    valueHint: 'URL',
    description: 'server to talk to (default: HEADRACE_API_URL, else the database in the output directory)',
  },
  'output-dir': {
    type: 'string',
    valueHint: 'DIR',
    description: 'directory with the database and the logs (default: headrace_output)',
  },
  db: {
    type: 'string',
    valueHint: 'PATH',
    description: 'database file, if it is not headrace.db in the output directory',
  },
  'ca-cert': { type: 'string', valueHint: 'PATH', description: 'PEM file with a certificate to trust for https' },
} as const

/** How long a silent runner keeps its jobs. */
export const LEASE = {
  lease: {
    type: 'string',
    valueHint: 'TIME',
    description: 'jobs of a runner that falls silent are for others after this long, 15s to 1h (default: 2m)',
  },
} as const

export const FORMATS = ['table', 'json'] as const
export type Format = (typeof FORMATS)[number]
