import type { Observed } from '../api/core/pipe/liveness.ts'
import { pipeSubmission } from './schema.ts'
import { insertRow, updateRow } from './table.ts'
import { all, one, run, type Unit } from './unit.ts'

export type PipeSubmissionRow = typeof pipeSubmission.$inferSelect
export type PipeSubmissionValues = Partial<typeof pipeSubmission.$inferInsert>

export const insertPipeSubmission = (values: PipeSubmissionValues): Unit<PipeSubmissionRow> =>
  insertRow(pipeSubmission, values)

/** In the order in which they were decided. */
export function* listPipeSubmissions(pipeRunId: number): Unit<PipeSubmissionRow[]> {
  return yield* all<PipeSubmissionRow>('SELECT * FROM pipe_submission WHERE pipe_run_id = ? ORDER BY id', pipeRunId)
}

export function* findPipeSubmission(pipeRunId: number, id: number): Unit<PipeSubmissionRow | undefined> {
  return yield* one<PipeSubmissionRow>('SELECT * FROM pipe_submission WHERE id = ? AND pipe_run_id = ?', id, pipeRunId)
}

export const changePipeSubmission = (id: number, values: PipeSubmissionValues): Unit<PipeSubmissionRow> =>
  updateRow(pipeSubmission, id, values)

/** The columns that say how a submission was last seen. */
export const observedOf = (row: PipeSubmissionRow): Observed => ({
  state: row.state,
  liveness: row.liveness,
  misses: row.misses,
  acknowledgedAt: row.acknowledged_at ?? undefined,
  listedAt: row.listed_at ?? undefined,
})

/** A runner of the array with this name has registered. */
export function* noteRegistered(pipeRunId: number, name: string): Unit<void> {
  yield* run(
    'UPDATE pipe_submission SET has_registered = 1 WHERE pipe_run_id = ? AND name = ? AND has_registered = 0',
    pipeRunId,
    name,
  )
}
