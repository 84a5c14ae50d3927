/** Options that several commands share, in citty's form. */

export const FORMAT = {
  format: { type: 'string', valueHint: 'FORMAT', description: 'table for people (default) or json: one document' },
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

export const FORMATS = ['table', 'json'] as const
export type Format = (typeof FORMATS)[number]
