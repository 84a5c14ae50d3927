import { CLAIM_REMEMBERED_MS } from '../api/core/claim.ts'
import { removeWorkflow } from './delete-workflow.ts'
import { drainFrontier } from './frontier.ts'
import { DependencyCycle, finishInitializing, type InitializeOptions } from './initialize.ts'
import { type LeftWork, listLeftWork, takeLeftWork } from './initializing.ts'
import { storeInputHashes } from './input-hashes.ts'
import { finishReset } from './reset-job-status.ts'
import { all, type Db, one, run, type Unit } from './unit.ts'

/** A workflow that has been in pieces for this long was left by a crash: making, counting or removing one takes seconds. */
const LEFT_BEHIND_MS = 600_000

/**
 * What no request does, or a crash cut short: called by a timer, or by a cron trigger. Each part is made of short transactions and
 * may be repeated; with nothing to do it only reads. `now` is the server's clock in epoch milliseconds.
 */
export async function tick(db: Db, now: number): Promise<void> {
  await heal(db, now, now - LEFT_BEHIND_MS)
  const forgotten = now - CLAIM_REMEMBERED_MS
  if ((await db.read(() => one('SELECT 1 FROM claim WHERE created_at < ? LIMIT 1', forgotten))) !== undefined)
    await db.write(() => run('DELETE FROM claim WHERE created_at < ?', forgotten))
}

/**
 * The same at the start of the only process that writes this database: whatever is in pieces was left by an earlier one, however
 * short ago.
 */
export async function healAfterStart(db: Db, now: number): Promise<void> {
  await heal(db, now, Number.MAX_SAFE_INTEGER)
}

async function heal(db: Db, now: number, leftBefore: number): Promise<void> {
  for (const id of await db.read(() => listPieces(leftBefore))) await removeWorkflow(db, id)
  for (const work of await db.read(() => listLeftWork(leftBefore))) await finishWork(db, work, now)
  await drainFrontier(db, () => now)
}

/** Half-made workflows and half-removed ones: nobody has seen the former, nobody wants the latter. */
function* listPieces(leftBefore: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `SELECT id FROM workflow WHERE state IN ('creating', 'deleting') AND state_since < ?`,
    leftBefore,
  )
  return rows.map(row => row.id)
}

async function finishWork(db: Db, left: LeftWork, now: number): Promise<void> {
  if (!(await db.write(() => takeLeftWork(left, now)))) return
  switch (left.work) {
    case 'reset':
      await finishReset(db, left.id)
      return
    case 'initialize':
    case 'reinitialize':
      await finishInitialize(db, left.id, { onlyUninitialized: left.work === 'reinitialize', now })
  }
}

async function finishInitialize(db: Db, id: number, options: InitializeOptions): Promise<void> {
  try {
    await finishInitializing(db, id, options)
    await storeInputHashes(db, id)
  } catch (error) {
    // The crash came before the check: the workflow is as it was, and whoever asked is not there to be told.
    if (!(error instanceof DependencyCycle)) throw error
  }
}
