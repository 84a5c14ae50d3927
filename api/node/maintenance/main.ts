import { listProblems, type Problem } from '../../../db/check.ts'
import { type CopiedTable, CopyError, copyDatabase } from '../../../db/copy-database.ts'
import { openFile } from '../../../db/open-file.ts'
import { isRemoteUrl } from '../../../db/open-remote.ts'
import { listOldWorkflows, type OldWorkflow, purgeOldWorkflows } from '../../../db/purge.ts'
import { openServerDatabase } from '../database-server.ts'
import { StartError } from '../start-error.ts'
import { checkDatabaseFile } from './file-check.ts'
import { type DatabasePlace, existingDatabase, openIdle, openTarget, serverPlaceOf } from './open-idle.ts'

export { StartError } from '../start-error.ts'
export { backUp } from './back-up.ts'
export { restore } from './restore.ts'

/**
 * Checks what must always hold in a database (design.md, Invariants); a server may be using it. Throws StartError when it cannot be
 * had, or is not ours.
 */
export async function checkDatabase(place: DatabasePlace): Promise<Problem[]> {
  if (isRemoteUrl(place.db)) {
    const db = await openServerDatabase(serverPlaceOf(place))
    try {
      return await db.read(listProblems)
    } finally {
      await db.close()
    }
  }
  const path = existingDatabase(place.db)
  checkDatabaseFile(path)
  const db = openFile(path)
  try {
    return await db.read(listProblems)
  } finally {
    await db.close()
  }
}

/** Copies a database into an empty one, neither in use. Throws StartError when either cannot be had, or the copy cannot be vouched for. */
export async function move(from: DatabasePlace, to: DatabasePlace): Promise<CopiedTable[]> {
  const source = await openIdle(from)
  try {
    const target = await openTarget(to)
    try {
      return await copyDatabase(source.db, target.db)
    } finally {
      await target.close()
    }
  } catch (error) {
    throw error instanceof CopyError ? new StartError(error.message) : error
  } finally {
    await source.close()
  }
}

/** Removes workflows that have been over since `before` (epoch milliseconds), or only names them. Throws StartError as above. */
export async function purge(place: DatabasePlace, before: number, onlyName: boolean): Promise<OldWorkflow[]> {
  const { db, close } = await openIdle(place)
  try {
    return onlyName
      ? await db.read(() => listOldWorkflows(before, Number.MAX_SAFE_INTEGER))
      : await purgeOldWorkflows(db, before, Date.now())
  } finally {
    await close()
  }
}
