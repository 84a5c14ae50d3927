import { BeingInitialized } from '../db/initializing.ts'
import { AppError } from './errors.ts'

/**
 * Recognises the errors of the database that pass by themselves or by making room: 503, which every client repeats. Undefined for
 * all others. The messages avoid "locked" and "busy", on which old clients spend their quick retries.
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
  return undefined
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
