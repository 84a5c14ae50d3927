import { CLAIM_REMEMBERED_MS } from '../api/core/claim.ts'
import { drainFrontier } from './cascade.ts'
import { removeWorkflow } from './delete-workflow.ts'
import { all, type Db, run, type Unit } from './unit.ts'

/** A workflow that has been in pieces for this long was left by a crash: making or removing one takes seconds. */
const LEFT_BEHIND_MS = 600_000

/**
 * What no request does, or a crash cut short: called by a timer, or by a cron trigger. Each part is made of short transactions and may
 * be repeated. `now` is the server's clock in epoch milliseconds.
 */
export async function tick(db: Db, now: number): Promise<void> {
  await drainFrontier(db, () => now)
  for (const id of await db.read(() => listPieces(now))) await removeWorkflow(db, id)
  await db.write(() => run('DELETE FROM claim WHERE created_at < ?', now - CLAIM_REMEMBERED_MS))
}

/** Half-made workflows and half-removed ones: nobody has seen the former, nobody wants the latter. */
function* listPieces(now: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `SELECT id FROM workflow WHERE state IN ('creating', 'deleting') AND state_since < ?`,
    now - LEFT_BEHIND_MS,
  )
  return rows.map(row => row.id)
}
