import { canPipeMove, type PipeState, pipeStatesBefore } from '../api/core/pipe/state.ts'
import { pipeRun } from './schema.ts'
import { appendEvents } from './stream-events.ts'
import { findRow, insertRow, updateRow } from './table.ts'
import { all, one, type Unit } from './unit.ts'

export type PipeRunRow = typeof pipeRun.$inferSelect
export type PipeRunValues = Partial<typeof pipeRun.$inferInsert>

/** Thrown when the table of moves does not allow one (api/core/pipe/state.ts). Nothing was written. */
export class PipeMoveRefused extends Error {
  readonly from: PipeState
  readonly to: PipeState

  constructor(id: number, from: PipeState, to: PipeState) {
    super(`Cannot move pipe run ${id} from ${from} to ${to}`)
    this.from = from
    this.to = to
  }
}

export function* insertPipeRun(values: PipeRunValues): Unit<PipeRunRow> {
  return yield* insertRow(pipeRun, values)
}

/** Finds a run, unless its workflow is hidden. */
export const findPipeRun = (id: number): Unit<PipeRunRow | undefined> => findRow(pipeRun, id)

export function* listPipeRuns(workflowId: number): Unit<PipeRunRow[]> {
  return yield* all<PipeRunRow>('SELECT * FROM pipe_run WHERE workflow_id = ? ORDER BY id', workflowId)
}

/** Changes what is no state. The caller has looked that the run is not over. */
export const changePipeRun = (id: number, values: Omit<PipeRunValues, 'state' | 'state_since'>): Unit<PipeRunRow> =>
  updateRow(pipeRun, id, values)

/**
 * Moves a run to another state and tells those who watch. The guard stands in the statement itself, so two who move at once do not both
 * succeed. Throws PipeMoveRefused.
 */
export function* movePipeRun(id: number, to: PipeState, now: number, reason?: string): Unit<PipeRunRow> {
  const moved = yield* one<PipeRunRow>(
    `UPDATE pipe_run SET state = ?2, state_since = ?3, reason = ?4
     WHERE id = ?1 AND state IN (SELECT value FROM json_each(?5)) RETURNING *`,
    id,
    to,
    now,
    reason ?? null,
    JSON.stringify(pipeStatesBefore(to)),
  )
  if (moved === undefined) {
    const found = yield* one<{ state: PipeState }>('SELECT state FROM pipe_run WHERE id = ?', id)
    throw new PipeMoveRefused(id, found!.state, to)
  }
  yield* appendEvents(moved.workflow_id, now, [
    { type: 'pipe_run_moved', data: { pipe_run_id: id, state: to, reason } },
  ])
  return moved
}

/** Moves a run if the table allows it; leaves it alone otherwise. */
export function* movePipeRunIfAllowed(run: PipeRunRow, to: PipeState, now: number, reason?: string): Unit<PipeRunRow> {
  return canPipeMove(run.state, to) ? yield* movePipeRun(run.id, to, now, reason) : run
}

/** Takes the step after a run: at most one caller ever gets it. */
export function* takePostStep(id: number, by: string): Unit<boolean> {
  const taken = yield* one(
    `UPDATE pipe_run SET post_state = 'running', post_by = ? WHERE id = ? AND post_state = 'due' AND state = 'ingesting' RETURNING id`,
    by,
    id,
  )
  return taken !== undefined
}
