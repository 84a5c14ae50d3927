/** Event severities, from the least to the most severe; other words are a parse error to clients. */
export const SEVERITIES = ['debug', 'info', 'warning', 'error'] as const
export type Severity = (typeof SEVERITIES)[number]

/** The types that the contract names (notes.md 14.2) with their severities. Others are sent to those only who ask for all types. */
const KNOWN: Readonly<Record<string, Severity>> = {
  job_started: 'info',
  job_completed: 'info',
  job_failed: 'error',
  job_terminated: 'warning',
  job_canceled: 'warning',
  job_pending_failed: 'info',
  compute_node_started: 'info',
  compute_node_stopped: 'info',
  scheduler_node_created: 'info',
  workflow_started: 'info',
  workflow_reinitialized: 'info',
  task_completed: 'info',
}

export const isKnownType = (type: string): boolean => Object.hasOwn(KNOWN, type)

/** How severe an event is; `dataJson` is stored with it. A task that failed is an error. */
export function severityOf(type: string, dataJson: string): Severity {
  if (type === 'task_completed' && JSON.parse(dataJson).status === 'failed') return 'error'
  return KNOWN[type] ?? 'info'
}

/** The least severity a client wants; `info` when it names none, or a word that is none. */
export function levelOf(word: string | undefined): number {
  const level = SEVERITIES.indexOf((word ?? 'info').toLowerCase() as Severity)
  return level < 0 ? SEVERITIES.indexOf('info') : level
}
