import { canMove, isComplete, type JobStatus } from './status.ts'

/** Which jobs of a workflow a bulk change means: those that meet every condition given; a list is met by any of its members. */
export type Selector = {
  status?: readonly JobStatus[]
  name?: readonly string[]
  /** With `*`, `?` and `[a-z]`, as a shell has them; the case counts. */
  pattern?: string
  /** All of them. */
  label?: readonly string[]
  tag?: Readonly<Record<string, string>>
  /** Names of resource requirements. */
  resourceClass?: readonly string[]
}

export type BulkChange =
  | { operation: 'cancel' }
  | { operation: 'reset' }
  | { operation: 'retry' }
  | { operation: 'priority'; priority: number }
  | { operation: 'labels'; labels: LabelChange }

/** New labels in the place of the old ones, or some more and some less. */
export type LabelChange = { set: readonly string[] } | { add: readonly string[]; remove: readonly string[] }

/**
 * Whether a bulk change touches jobs of this status; others that the selector names stay as they are. A job that runs is not retried: its
 * runner would lose it, and cancel says so by name.
 */
export function touches(operation: BulkChange['operation'], status: JobStatus): boolean {
  switch (operation) {
    case 'cancel':
      return !isComplete(status) && status !== 'disabled'
    case 'reset':
      return status !== 'uninitialized'
    case 'retry':
      return status !== 'running' && canMove('retry', status, 'ready')
    case 'priority':
    case 'labels':
      return true
  }
}

/** The labels of a job after a change, in the stored form: a sorted set, joined by commas. */
export function relabel(stored: string, change: LabelChange): string {
  if ('set' in change) return setOf(change.set)
  const kept = stored.split(',').filter(label => label !== '' && !change.remove.includes(label))
  return setOf([...kept, ...change.add])
}

const setOf = (labels: readonly string[]): string => [...new Set(labels)].sort().join()
