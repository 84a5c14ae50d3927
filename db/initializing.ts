import { all, one, run, type Unit } from './unit.ts'

/** Thrown when a change meets a workflow whose jobs are just being counted anew: the same request is right a moment later. */
export class BeingInitialized extends Error {
  constructor(workflowId: number) {
    super(`Cannot change jobs of workflow ${workflowId} while it is being initialized: try again`)
  }
}

/** What an initializing workflow goes through, in pieces of one transaction each. */
export type Work = 'initialize' | 'reinitialize' | 'reset'

export function* isInitializing(workflowId: number): Unit<boolean> {
  return (yield* one(`SELECT 1 FROM workflow WHERE id = ? AND state = 'initializing'`, workflowId)) !== undefined
}

/** Ends with BeingInitialized when the workflow hands out nothing because somebody works on it. */
export function* refuseInitializing(workflowId: number): Unit<void> {
  if (yield* isInitializing(workflowId)) throw new BeingInitialized(workflowId)
}

/** Begins work in pieces: the workflow hands out nothing and takes no completions until the last of them. */
export function* beginInitializing(workflowId: number, work: Work, now: number): Unit<void> {
  const begun = yield* one(
    `UPDATE workflow SET state = 'initializing', state_work = ?, state_since = ? WHERE id = ? AND state = 'live' RETURNING id`,
    work,
    now,
    workflowId,
  )
  if (begun === undefined) throw new BeingInitialized(workflowId)
}

/** Shows the workflow again. One that was deleted meanwhile stays deleted. */
export function* endInitializing(workflowId: number): Unit<void> {
  yield* run(
    `UPDATE workflow SET state = 'live', state_work = NULL, state_since = NULL WHERE id = ? AND state = 'initializing'`,
    workflowId,
  )
}

/** Gives work that failed half-way to the next tick. */
export function* abandonInitializing(workflowId: number): Unit<void> {
  yield* run(`UPDATE workflow SET state_since = 0 WHERE id = ? AND state = 'initializing'`, workflowId)
}

export type LeftWork = { id: number; work: Work; since: number }

/** Work in pieces that nobody has finished since `before`. */
export function* listLeftWork(before: number): Unit<LeftWork[]> {
  return yield* all<LeftWork>(
    `SELECT id, state_work AS work, state_since AS since FROM workflow WHERE state = 'initializing' AND state_since < ?`,
    before,
  )
}

/** Takes left work over; false when another instance of the server was quicker. */
export function* takeLeftWork({ id, since }: LeftWork, now: number): Unit<boolean> {
  const taken = yield* one(
    `UPDATE workflow SET state_since = ? WHERE id = ? AND state = 'initializing' AND state_since = ? RETURNING id`,
    now,
    id,
    since,
  )
  return taken !== undefined
}
