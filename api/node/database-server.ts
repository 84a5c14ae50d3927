import { readFileSync } from 'node:fs'
import { RemoteError } from '../../db/hrana.ts'
import { migrate } from '../../db/migrate.ts'
import { extendLeases } from '../../db/node-leases.ts'
import { openRemote, type RemoteOptions } from '../../db/open-remote.ts'
import { tick } from '../../db/tick.ts'
import type { Db, Unit } from '../../db/unit.ts'
import { wasSilent } from '../../db/write-receipts.ts'
import { AWAY_MS, withFairLeases } from '../fair-leases.ts'
import { StartError, startErrorOf } from './start-error.ts'

/** Which database at which server. */
export type ServerPlace = Pick<RemoteOptions, 'url' | 'token' | 'namespace'>

/**
 * Opens a database at a libSQL server and brings its schema up to date. Other control planes may use it at the same time, so what
 * stands in pieces there is left alone until it is old enough to have been left by a crash.
 */
export async function openUpToDate(place: ServerPlace): Promise<Db> {
  const db = openRemote({ ...place, queue: true })
  try {
    const now = Date.now()
    await db.write(() => bringUpToDate(now))
    await tick(db, now)
    return withFairLeases(db)
  } catch (error) {
    await db.close()
    throw error
  }
}

function* bringUpToDate(now: number): Unit<void> {
  yield* migrate(now)
  // Every control plane was away then, or the database: no runner could renew its leases.
  if (yield* wasSilent(AWAY_MS / 1000)) yield* extendLeases(now)
}

/** The same at a start. Throws StartError when the server does not let us in. */
export async function openServerDatabase(place: ServerPlace): Promise<Db> {
  const { url } = place
  try {
    return await openUpToDate(place)
  } catch (error) {
    if (!(error instanceof RemoteError)) throw startErrorOf(error, url)
    throw new StartError(
      `Cannot use the database at ${url}: ${error.message}. Check the address, that the server runs, and its token in HEADRACE_DB_TOKEN or --db-token-file`,
    )
  }
}

/** The database's token from a file, whose blanks at the ends do not count. Throws StartError. */
export function readDatabaseToken(path: string): string {
  let token: string
  try {
    token = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new StartError(`Cannot read the database's token: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (token === '') throw new StartError(`Cannot read the database's token from ${path} as the file is empty`)
  return token
}
