import { CLAIM_REMEMBERED_MS } from '../api/core/claim.ts'
import { removeWorkflow } from './delete-workflow.ts'
import { settleAllDue } from './due.ts'
import { drainFrontier } from './frontier.ts'
import { hasOldHandBacks, purgeHandBacks } from './handed-back.ts'
import { hasOldReplies, purgeReplies } from './idempotency.ts'
import { DependencyCycle, finishInitializing, type InitializeOptions } from './initialize.ts'
import { type LeftWork, listLeftWork, takeLeftWork } from './initializing.ts'
import { extendLeases, hasLeases } from './node-leases.ts'
import { recordInitialized } from './record-initialized.ts'
import { finishReset } from './reset-job-status.ts'
import { purgeOldEvents } from './stream-events.ts'
import { failOpenTasks, hasOpenTasks } from './tasks.ts'
import { hasOldTokens, purgeTokens } from './tokens.ts'
import { all, type Db, one, run, type Unit } from './unit.ts'
import { hasOldReceipts, purgeReceipts } from './write-receipts.ts'

/** A workflow that has been in pieces for this long was left by a crash: making, counting or removing one takes seconds. */
const LEFT_BEHIND_MS = 600_000

/**
 * What no request does, or a crash cut short: called by a timer, or by a cron trigger. Each part is made of short transactions and
 * may be repeated; with nothing to do it only reads. `now` is the server's clock in epoch milliseconds.
 */
export async function tick(db: Db, now: number): Promise<void> {
  const leftBefore = now - LEFT_BEHIND_MS
  // First, since jobs wait for it: a workflow that cannot be removed, tick after tick, must keep none from going on.
  await settleAllDue(db, now)
  await heal(db, now, leftBefore)
  if (await db.read(() => hasOpenTasks(leftBefore))) await db.write(() => failOpenTasks(now, leftBefore))
  const forgotten = now - CLAIM_REMEMBERED_MS
  if ((await db.read(() => one('SELECT 1 FROM claim WHERE created_at < ? LIMIT 1', forgotten))) !== undefined)
    await db.write(() => run('DELETE FROM claim WHERE created_at < ?', forgotten))
  await purgeOldEvents(db, now)
  if (await db.read(() => hasOldHandBacks(now))) await db.write(() => purgeHandBacks(now))
  if (await db.read(hasOldReceipts)) await db.write(purgeReceipts)
  if (await db.read(() => hasOldTokens(now))) await db.write(() => purgeTokens(now))
  if (await db.read(() => hasOldReplies(now))) while ((await db.write(() => purgeReplies(now))) > 0);
}

/**
 * The same at the start of the only process that writes this database: whatever is in pieces was left by an earlier one, however
 * short ago. No runner could renew its lease while there was no server.
 */
export async function healAfterStart(db: Db, now: number): Promise<void> {
  await heal(db, now, Number.MAX_SAFE_INTEGER)
  if (await db.read(hasLeases)) await db.write(() => extendLeases(now))
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
    await recordInitialized(db, id)
  } catch (error) {
    // The crash came before the check: the workflow is as it was, and whoever asked is not there to be told.
    if (!(error instanceof DependencyCycle)) throw error
  }
}
