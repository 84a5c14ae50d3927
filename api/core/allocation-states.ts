/** How a request for nodes goes on, from the row that is written before the scheduler is asked to the end of its last element. */
export const ALLOCATION_STATES = ['submitting', 'queued', 'running', 'ended', 'canceled', 'refused'] as const
export type AllocationState = (typeof ALLOCATION_STATES)[number]

/** Nothing follows these: the scheduler has no element of it any more, or never had one. */
export const FINAL_ALLOCATION_STATES = ['ended', 'canceled', 'refused'] as const satisfies readonly AllocationState[]

/**
 * The moves there are. A submission whose outcome was unknown may turn out to run already, or to be over. Queued again after running:
 * requeued or preempted, with the same id.
 */
const MOVES: Readonly<Record<AllocationState, readonly AllocationState[]>> = {
  submitting: ['queued', 'running', 'ended', 'canceled', 'refused'],
  queued: ['running', 'ended', 'canceled'],
  running: ['queued', 'ended', 'canceled'],
  ended: [],
  canceled: [],
  refused: [],
}

/** Whether a state may follow another. The same again is a repeated report and no move. */
export const canMove = (from: AllocationState, to: AllocationState): boolean => from === to || MOVES[from].includes(to)

/** What the contract's clients read of an allocation that was acknowledged (contract/notes.md 16.5). */
export const SCHEDULED_NODE_STATUS: Readonly<Record<AllocationState, string | undefined>> = {
  submitting: undefined,
  queued: 'pending',
  running: 'active',
  ended: 'complete',
  canceled: 'canceled',
  refused: undefined,
}

export const PLAN_STATES = ['active', 'paused', 'stopped'] as const
export type PlanState = (typeof PLAN_STATES)[number]
