import { createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import Database from 'libsql'
import { remoteHeaders } from '../../../db/hrana.ts'
import { httpUrl, isRemoteUrl } from '../../../db/open-remote.ts'
import type { ServerPlace } from '../database-server.ts'
import { makePrivateFolder, touchPrivateFile } from '../private-file.ts'
import { StartError, startErrorOf } from '../start-error.ts'
import { checkDatabaseFile, unreadable } from './file-check.ts'
import { type DatabasePlace, existingDatabase, serverPlaceOf } from './open-idle.ts'

/** What was written, in bytes. */
export type Backup = { path: string; bytes: number }

/** What a server writes at the end of a dump; one that was cut off lacks it. */
const DUMP_END = /COMMIT;\s*$/
/** More than that end needs. */
const TAIL_BYTES = 64

/**
 * Writes what the database holds at this moment to a new file, while servers go on using it: of a file as another such file, of a
 * libSQL server as the SQL text it dumps. It is there whole or not at all, and readable by its owner alone. Throws StartError when the
 * file exists, the database cannot be had, or what was written does not pass the check.
 */
export async function backUp(place: DatabasePlace, target: string): Promise<Backup> {
  const path = resolve(target)
  if (existsSync(path)) throw new StartError(`Cannot write the backup as ${path} exists: name a new file`)
  const part = `${path}.part`
  try {
    makePrivateFolder(dirname(path))
    rmSync(part, { force: true })
    touchPrivateFile(part)
    if (isRemoteUrl(place.db)) await dump(serverPlaceOf(place), part)
    else copyFile(existingDatabase(place.db), part)
    await flush(part)
    renameSync(part, path)
    await flush(dirname(path))
    return { path, bytes: statSync(path).size }
  } catch (error) {
    rmSync(part, { force: true })
    throw startErrorOf(error, path)
  }
}

function copyFile(from: string, to: string): void {
  const connection = new Database(from, { readonly: true } as Database.Options)
  try {
    connection.prepare('VACUUM INTO ?').run([to])
  } catch (error) {
    throw unreadable(error, from)
  } finally {
    connection.close()
  }
  checkDatabaseFile(to)
}

async function dump(place: ServerPlace, path: string): Promise<void> {
  const { url } = place
  let response: Response
  try {
    response = await fetch(`${httpUrl(url)}/dump`, { headers: remoteHeaders(place) })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StartError(`Cannot back up ${url} as the database server did not answer: ${why}`)
  }
  if (!response.ok || response.body === null) {
    throw new StartError(
      `Cannot back up ${url} as the database server answered ${response.status}: check the address and its token in HEADRACE_DB_TOKEN or --db-token-file`,
    )
  }
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path, { mode: 0o600 }))
  if (!DUMP_END.test(await readTail(path)))
    throw new StartError(`Cannot back up ${url} as its dump broke off: try again`)
}

async function readTail(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const length = Math.min(size, TAIL_BYTES)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('latin1')
  } finally {
    await file.close()
  }
}

/** Brings a file or a folder through the disk's cache. */
async function flush(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
