import { constants, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { renewEpoch } from '../../../db/identity.ts'
import { migrate } from '../../../db/migrate.ts'
import { openFile } from '../../../db/open-file.ts'
import { takeOwnership } from '../ownership.ts'
import { makePrivateFolder, touchPrivateFile } from '../private-file.ts'
import { StartError, startErrorOf } from '../start-error.ts'
import { checkDatabaseFile } from './file-check.ts'
import { isDatabaseFile, readDump } from './read-dump.ts'

/** `before`: where the database that was there has gone. */
export type Restored = { path: string; before?: string }

/** What SQLite may keep beside a database; a log that stayed would be applied to the restored one. */
const COMPANIONS = ['-wal', '-shm']

/**
 * Puts a backup in a database's place: a file, or the SQL text of a server's dump. It is checked and brought up to date first, and gets
 * a new epoch, so that runners offer again what only the lost database had acknowledged. What was there is kept beside it. Throws
 * StartError when a server uses the database, or the backup is not whole.
 */
export async function restore(backup: string, target: string): Promise<Restored> {
  const path = resolve(target)
  const from = resolve(backup)
  if (!existsSync(from)) throw new StartError(`Cannot restore as there is no file ${from}`)
  if (from === path)
    throw new StartError(`Cannot restore ${path} from itself: name the backup first, then the database`)
  makePrivateFolder(dirname(path))
  const ownership = takeOwnership(path)
  const next = `${path}.restoring`
  try {
    for (const end of ['', ...COMPANIONS]) rmSync(next + end, { force: true })
    touchPrivateFile(next)
    if (isDatabaseFile(from)) copyFileSync(from, next, constants.COPYFILE_FICLONE)
    else await readDump(from, next)
    checkDatabaseFile(next)
    const db = openFile(next, { durability: 'power' })
    try {
      await db.write(function* () {
        yield* migrate(Date.now())
        yield* renewEpoch()
      })
    } finally {
      await db.close()
    }
    const before = setAside(path)
    renameSync(next, path)
    return { path, before }
  } catch (error) {
    for (const end of ['', ...COMPANIONS]) rmSync(next + end, { force: true })
    throw startErrorOf(error, path)
  } finally {
    ownership.release()
  }
}

function setAside(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const before = `${path}.before-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
  for (const end of COMPANIONS) if (existsSync(path + end)) renameSync(path + end, before + end)
  renameSync(path, before)
  return before
}
