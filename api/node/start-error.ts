import { dirname } from 'node:path'
import { NewerDatabase, UnfinishedDatabase } from '../../db/migrate.ts'

/** Why a server cannot start, in one line that says what to do. The command prints it and exits; it is no fault of the program. */
export class StartError extends Error {}

/** The code of a system or SQLite error, or an empty text. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Gives trouble with the file as a StartError; anything that is no such trouble comes back as it is. */
export function startErrorOf(error: unknown, dbPath: string): unknown {
  if (error instanceof StartError) return error
  if (error instanceof NewerDatabase || error instanceof UnfinishedDatabase) return new StartError(error.message)
  const folder = dirname(dbPath)
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'SQLITE_READONLY':
    case 'SQLITE_CANTOPEN':
      return new StartError(
        `Cannot write in ${folder} as this user may not: change its rights, or name another file with --db PATH`,
      )
    case 'ENOSPC':
    case 'EDQUOT':
    case 'SQLITE_FULL':
      return new StartError(
        `Cannot write in ${folder} as its disk is full: make room, or name another file with --db PATH`,
      )
    case 'ENOTDIR':
    case 'EEXIST':
      return new StartError(`Cannot use ${folder} as it is no folder: name another file with --db PATH`)
    case 'EISDIR':
      return new StartError(`Cannot use ${dbPath} as it is a folder: name a file with --db PATH`)
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return new StartError(
        `Cannot use ${dbPath} as it is no database, or a damaged one: name another file with --db PATH`,
      )
    default:
      return error
  }
}
