/**
 * The job states, their numbers in the database and the one table of allowed moves (contract/notes.md 9.7, 18).
 * The order is the contract's enum order; lists sort by it.
 */
export const JOB_STATUSES = [
  'uninitialized',
  'blocked',
  'ready',
  'pending',
  'running',
  'completed',
  'failed',
  'canceled',
  'terminated',
  'disabled',
  'pending_failed',
] as const

export type JobStatus = (typeof JOB_STATUSES)[number]

/** Status words as the numbers stored in the `job` and `result` tables: the index in `JOB_STATUSES`. */
export const STATUS = {
  uninitialized: 0,
  blocked: 1,
  ready: 2,
  pending: 3,
  running: 4,
  completed: 5,
  failed: 6,
  canceled: 7,
  terminated: 8,
  disabled: 9,
  pending_failed: 10,
} as const satisfies Record<JobStatus, number>

export type StatusNumber = (typeof STATUS)[JobStatus]

/** Returns the word for a stored status number; throws on a number no status has, since that row is corrupt. */
export function statusWord(status: number): JobStatus {
  const word = JOB_STATUSES[status]
  if (word === undefined) throw new RangeError(`Cannot name a job status as the number is unknown: ${status}`)
  return word
}

export function isJobStatus(word: string): word is JobStatus {
  return Object.hasOwn(STATUS, word)
}

const COMPLETE: ReadonlySet<JobStatus> = new Set(['completed', 'failed', 'canceled', 'terminated'])
const UNSUCCESSFUL: ReadonlySet<JobStatus> = new Set(['failed', 'canceled', 'terminated'])
const REPORTABLE: ReadonlySet<JobStatus> = new Set([...COMPLETE, 'pending_failed'])

/** A complete job releases its dependants; nothing but a named reset, retry or initialise moves it again. */
export const isComplete = (status: JobStatus): boolean => COMPLETE.has(status)

/** Complete, but not by success: dependants with `cancel_on_blocking_job_failure` are canceled after it. */
export const isUnsuccessful = (status: JobStatus): boolean => UNSUCCESSFUL.has(status)

/** What a completion may report: a complete status, or `pending_failed`, which waits for its owner's decision. */
export const isReportable = (status: JobStatus): boolean => REPORTABLE.has(status)

/** What moves a job. Each is one named operation; the table says from where to where it may go. */
export type Move =
  | 'initialize'
  | 'disable'
  | 'unblock'
  | 'claim'
  | 'start'
  | 'release'
  | 'rescue'
  | 'complete'
  | 'salvage'
  | 'cancel_workflow'
  | 'retry'
  | 'reset'
  | 'manage'

const ANY_OPEN: readonly JobStatus[] = ['uninitialized', 'blocked', 'ready', 'pending', 'running', 'pending_failed']
const EVERY: readonly JobStatus[] = JOB_STATUSES
const NOT_COMPLETE: readonly JobStatus[] = JOB_STATUSES.filter(word => !COMPLETE.has(word))

const MOVES: Record<Move, { from: readonly JobStatus[]; to: readonly JobStatus[] }> = {
  initialize: { from: EVERY, to: ['uninitialized', 'blocked', 'ready'] },
  disable: { from: ['uninitialized'], to: ['disabled'] },
  unblock: { from: ['blocked'], to: ['ready', 'canceled'] },
  claim: { from: ['ready'], to: ['pending', 'running'] },
  start: { from: ['pending'], to: ['running'] },
  release: { from: ['pending', 'running'], to: ['ready'] },
  rescue: { from: ['pending', 'running'], to: ['ready', 'failed'] },
  complete: { from: ANY_OPEN, to: ['completed', 'failed', 'canceled', 'terminated', 'pending_failed'] },
  salvage: { from: ['ready'], to: ['completed'] },
  cancel_workflow: { from: ['pending', 'running'], to: ['canceled'] },
  retry: { from: ['running', 'failed', 'terminated'], to: ['ready'] },
  reset: { from: EVERY, to: ['uninitialized'] },
  manage: { from: EVERY, to: NOT_COMPLETE },
}

/** Tells whether `move` may take a job from `from` to `to`. Disabled jobs stay disabled under initialise. */
export function canMove(move: Move, from: JobStatus, to: JobStatus): boolean {
  if (move === 'initialize' && from === 'disabled') return false
  const rule = MOVES[move]
  return rule.from.includes(from) && rule.to.includes(to)
}
