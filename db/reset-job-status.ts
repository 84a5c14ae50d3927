import { recordUserAction } from './events.ts'
import { abandonInitializing, beginInitializing, endInitializing, refuseInitializing } from './initializing.ts'
import { resetAllJobs, resetFailedJobs } from './job-status.ts'
import { type Db, one, type Unit } from './unit.ts'

/** Ids reset in one transaction, so that it ends within about 100 ms. */
const CHUNK = 5_000

export type ResetOptions = { failedOnly: boolean; now: number; user: string }

/**
 * Makes all jobs uninitialized, or the failed ones and what hangs below them, and tells how many (contract/notes.md 8.3). A large
 * workflow hands out nothing until the last piece is done; a repeat after a crash ends the same.
 */
export async function resetJobStatus(db: Db, workflowId: number, options: ResetOptions): Promise<number> {
  const { failedOnly, now, user } = options
  const record = (updated: number) =>
    recordUserAction(workflowId, now, user, 'reset_job_status', { failed_only: failedOnly, updated_count: updated })
  if (failedOnly) {
    return db.write(function* () {
      yield* refuseInitializing(workflowId)
      const updated = yield* resetFailedJobs(workflowId)
      yield* record(updated)
      return updated
    })
  }
  const range = await db.read(() => idRange(workflowId))
  if (range.last - range.first < CHUNK) {
    return db.write(function* () {
      yield* refuseInitializing(workflowId)
      const updated = yield* resetAllJobs(workflowId, range)
      yield* record(updated)
      return updated
    })
  }
  await db.write(() => beginInitializing(workflowId, 'reset', now))
  const updated = await finishReset(db, workflowId)
  await db.write(() => record(updated))
  return updated
}

/** Makes all jobs uninitialized, piece by piece, and shows the workflow again; also goes on where a crash cut that short. */
export async function finishReset(db: Db, workflowId: number): Promise<number> {
  try {
    const range = await db.read(() => idRange(workflowId))
    let updated = 0
    for (let first = range.first; first <= range.last; first += CHUNK) {
      updated += await db.write(() => resetAllJobs(workflowId, { first, last: first + CHUNK - 1 }))
    }
    await db.write(() => endInitializing(workflowId))
    return updated
  } catch (error) {
    await db.write(() => abandonInitializing(workflowId))
    throw error
  }
}

function* idRange(workflowId: number): Unit<{ first: number; last: number }> {
  const range = yield* one<{ first: number | null; last: number | null }>(
    'SELECT min(id) AS first, max(id) AS last FROM job WHERE workflow_id = ?',
    workflowId,
  )
  return { first: range?.first ?? 0, last: range?.last ?? -1 }
}
