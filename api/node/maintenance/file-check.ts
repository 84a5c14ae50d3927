import Database from 'libsql'
import { UNFINISHED_COPY } from '../../../db/copy-database.ts'
import { NewerDatabase, SCHEMA_VERSION, UnfinishedDatabase } from '../../../db/migrate.ts'
import { codeOf, StartError } from '../start-error.ts'

/**
 * Makes sure that a file is a whole database of ours that this program can open; changes nothing. Throws StartError that says what is
 * wrong with it.
 */
export function checkDatabaseFile(path: string): void {
  try {
    const connection = new Database(path, { readonly: true } as Database.Options)
    try {
      const named = (name: string) => connection.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get([name])
      if (named(UNFINISHED_COPY) !== undefined) throw new StartError(new UnfinishedDatabase().message)
      if (named('headrace_migration') === undefined)
        throw new StartError(`Cannot use ${path} as it is a database of another program`)
      const { version } = connection.prepare('SELECT max(version) AS version FROM headrace_migration').get([]) as {
        version: number
      }
      if (version > SCHEMA_VERSION) throw new StartError(new NewerDatabase(version).message)
      const found = connection.prepare('PRAGMA integrity_check').all([]) as { integrity_check: string }[]
      if (found[0]?.integrity_check !== 'ok')
        throw new StartError(`Cannot use ${path} as it is damaged: ${found[0]?.integrity_check}`)
    } finally {
      connection.close()
    }
  } catch (error) {
    throw unreadable(error, path)
  }
}

/** Trouble with reading a database file, as a StartError where it is known; anything else comes back as it is. */
export function unreadable(error: unknown, path: string): unknown {
  const code = codeOf(error)
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code))
    return new StartError(`Cannot use ${path} as it is no database, or a damaged one`)
  if (/^SQLITE_CANTOPEN/.test(code)) return new StartError(`Cannot read ${path}: it does not exist, or you may not`)
  if (/^SQLITE_BUSY/.test(code)) {
    return new StartError(
      `Cannot read ${path} as its server has it for itself, as on a network file system: stop that server first`,
    )
  }
  return error
}
