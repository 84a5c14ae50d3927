import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { migrate } from '../../../db/migrate.ts'
import { openFile } from '../../../db/open-file.ts'
import { isRemoteUrl, openRemote } from '../../../db/open-remote.ts'
import type { Db } from '../../../db/unit.ts'
import { openServerDatabase, readDatabaseToken, type ServerPlace } from '../database-server.ts'
import { ownDatabasePath } from '../foreign-database.ts'
import { takeOwnership } from '../ownership.ts'
import { makePrivateFolder, touchPrivateFile } from '../private-file.ts'
import { HOME_NAMESPACE, namespaceOf } from '../projects/namespace.ts'
import { StartError, startErrorOf } from '../start-error.ts'

/**
 * A database by the path of its file, or by the address of a libSQL server and what that wants to see, or a file with it. `project`: whose
 * it is, where that server has one for each; empty for that of no project.
 */
export type DatabasePlace = { db: string; token?: string; tokenPath?: string; project?: string }

/** A database that no server on its file system uses, nor can begin to before it is closed. */
export type IdleDatabase = { db: Db; close(): Promise<void> }

/**
 * Opens a database for work that wants it alone, its schema brought up to date. At a database server nobody can be kept out. Throws
 * StartError when another process has it, or there is none.
 */
export async function openIdle(place: DatabasePlace): Promise<IdleDatabase> {
  if (isRemoteUrl(place.db)) return alone(await openServerDatabase(serverPlaceOf(place)))
  return openOwnFile(existingDatabase(place.db), db => db.write(() => migrate(Date.now())))
}

/** Opens what is to become a database; it may hold nothing yet, or what a copy left that did not end. Throws StartError as above. */
export async function openTarget(place: DatabasePlace): Promise<IdleDatabase> {
  if (isRemoteUrl(place.db)) return alone(openRemote({ ...serverPlaceOf(place), queue: true }))
  const path = resolve(place.db)
  makePrivateFolder(dirname(path))
  return openOwnFile(path, async () => {})
}

/** Which database at which server. Throws StartError when the file with its token cannot be read. */
export function serverPlaceOf({ db, token, tokenPath, project }: DatabasePlace): ServerPlace {
  const namespace = project === '' ? HOME_NAMESPACE : project && namespaceOf(project)
  return { url: db, token: tokenPath === undefined ? token : readDatabaseToken(tokenPath), namespace }
}

/** The path of our database for the one that was named. Throws StartError when there is no file. */
export function existingDatabase(place: string): string {
  const path = ownDatabasePath(resolve(place))
  if (!existsSync(path) || !statSync(path).isFile())
    throw new StartError(
      `Cannot find a database: ${path} does not exist. Name its file with --db, or its server's address`,
    )
  return path
}

async function openOwnFile(path: string, prepare: (db: Db) => Promise<unknown>): Promise<IdleDatabase> {
  const ownership = takeOwnership(path)
  let db: Db | undefined
  try {
    touchPrivateFile(path)
    db = openFile(path)
    await prepare(db)
    return alone(db, () => ownership.release())
  } catch (error) {
    await db?.close()
    ownership.release()
    throw startErrorOf(error, path)
  }
}

const alone = (db: Db, letGo = () => {}): IdleDatabase => ({
  db,
  async close() {
    await db.close()
    letGo()
  },
})
