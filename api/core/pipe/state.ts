/**
 * How far a pipe run is. `staged`: frozen, nothing at the scheduler. `submitted`: an array was asked for. `active`: a runner of it has
 * registered. `ingesting`: every member has ended and its result is looked at. `completed`: all members completed; `partial`: some did
 * not. `failed`: given up. `canceled`: by somebody's wish.
 */
export const PIPE_STATES = [
  'staged',
  'submitted',
  'active',
  'ingesting',
  'completed',
  'partial',
  'failed',
  'canceled',
] as const

export type PipeState = (typeof PIPE_STATES)[number]

/** The one table of allowed moves; every write of a state goes by it. */
const MOVES: Record<PipeState, readonly PipeState[]> = {
  // A runner may register before the scheduler's answer was read; the members may be done by runners elsewhere.
  staged: ['submitted', 'active', 'ingesting', 'failed', 'canceled'],
  submitted: ['active', 'ingesting', 'failed', 'canceled'],
  active: ['submitted', 'ingesting', 'failed', 'canceled'],
  // A member that was put back, or reset, has to run again.
  ingesting: ['active', 'completed', 'partial', 'failed', 'canceled'],
  completed: [],
  partial: [],
  failed: [],
  canceled: [],
}

export const canPipeMove = (from: PipeState, to: PipeState): boolean => MOVES[from].includes(to)

/** The states from which a run may come into this one. */
export const pipeStatesBefore = (to: PipeState): PipeState[] => PIPE_STATES.filter(from => canPipeMove(from, to))

/** Nothing changes a run in such a state any more. */
export const isPipeOver = (state: PipeState): boolean => MOVES[state].length === 0

export const PIPE_STATES_OVER: readonly PipeState[] = PIPE_STATES.filter(isPipeOver)

/** How far the step after a run is: none was asked for, it may be taken, somebody has taken it, it has ended. */
export const POST_STATES = ['none', 'due', 'running', 'ended'] as const
export type PostState = (typeof POST_STATES)[number]

/** So many reconciliations of one run that went wrong in a row are its end. */
export const STRIKES = 3
