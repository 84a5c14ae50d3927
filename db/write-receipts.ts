import { one, run, type Statement, type Unit } from './unit.ts'

/** What a write through a libSQL server leaves in its own transaction: whoever finds it knows that the write took effect. */

/** Seconds a receipt is kept. A write is tried again within a minute at most, then nobody asks any more. */
const KEPT_SECONDS = 600

/** The last statement of a write: fails, and undoes it, when the same write has taken effect before. */
export const leaveReceipt = (id: string): Statement => ({
  sql: 'INSERT INTO write_receipt (id, at) VALUES (?, unixepoch())',
  args: [id],
})

/** Gives a row when the write with this id has taken effect. */
export const findReceipt = (id: string): Statement => ({ sql: 'SELECT 1 FROM write_receipt WHERE id = ?', args: [id] })

/** Whether no write of anybody's took effect in the last so many seconds. */
export function* wasSilent(seconds: number): Unit<boolean> {
  return (yield* one('SELECT 1 FROM write_receipt WHERE at >= unixepoch() - ? LIMIT 1', seconds)) === undefined
}

export function* hasOldReceipts(): Unit<boolean> {
  return (yield* one(`SELECT 1 FROM write_receipt WHERE at < unixepoch() - ${KEPT_SECONDS} LIMIT 1`)) !== undefined
}

export function* purgeReceipts(): Unit<void> {
  yield* run(`DELETE FROM write_receipt WHERE at < unixepoch() - ${KEPT_SECONDS}`)
}
