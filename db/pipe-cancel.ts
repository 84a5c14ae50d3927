import { cancelJobs } from './bulk-change.ts'
import { drainFrontier } from './frontier.ts'
import { refuseInitializing } from './initializing.ts'
import { openMemberIds } from './pipe-members.ts'
import type { Db } from './unit.ts'

/** Jobs canceled in one transaction, so that it ends within about 100 ms. */
const CHUNK = 2_000

/**
 * Cancels the members of a run that have not ended, with what follows from it below; no budget is touched. Repeat it after a crash: what
 * is canceled stays so. Throws BeingInitialized while the workflow's jobs are counted anew. Tells how many there were.
 */
export async function cancelPipeMembers(
  db: Db,
  run: { id: number; workflow_id: number },
  now: () => number,
): Promise<number> {
  const ids = await db.read(() => openMemberIds(run.id))
  for (let from = 0; from < ids.length; from += CHUNK) {
    await db.write(function* () {
      yield* refuseInitializing(run.workflow_id)
      const open = new Set(yield* openMemberIds(run.id))
      const chunk = ids.slice(from, from + CHUNK).filter(id => open.has(id))
      if (chunk.length > 0) yield* cancelJobs(run.workflow_id, chunk, now())
    })
  }
  await drainFrontier(db, now)
  return ids.length
}
