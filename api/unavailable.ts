import { BeingInitialized } from '../db/initializing.ts'
import { AppError } from './errors.ts'

/**
 * Recognises the errors of the database that pass by themselves or by making room: 503, which every client repeats. Undefined for
 * all others. Of a libSQL server also a reply that is larger than it sends: 413. The messages avoid "locked" and "busy", on which old clients spend their quick retries.
 */
export function refusalOfDatabase(error: unknown): AppError | undefined {
  if (error instanceof BeingInitialized) return new AppError('unavailable', error.message)
  const code = codeOf(error)
  if (code.startsWith('SQLITE_BUSY'))
    return new AppError('unavailable', 'Cannot answer now as the server has too much to write: try again')
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return new AppError(
      'unavailable',
      'Cannot write as the disk of the database is full or failing: nothing was stored, try again once it is well',
    )
  }
  if (PASSING.some(known => code.startsWith(known)))
    return new AppError('unavailable', 'Cannot answer now as the database server does not: try again')
  if (code === 'RESPONSE_TOO_LARGE')
    return new AppError(
      'too_large',
      'Cannot answer as the reply is too large for the database server: ask for fewer rows',
    )
  return undefined
}

/** What a libSQL server says, or does not say, in bad moments (platform.md 3.5). */
const PASSING = ['REMOTE_UNREACHABLE', 'TRANSACTION_TIMEOUT', 'STREAM_EXPIRED']

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
