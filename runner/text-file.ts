import { readFileSync } from 'node:fs'
import { usageError } from './command-line/error.ts'
import { readStandardInput, STANDARD_INPUT } from './standard-input.ts'

/** The text of a file that is named on the command line, or of standard input. Throws a usage error when it cannot be read. */
export function readTextFile(path: string, what: string): string {
  if (path === STANDARD_INPUT) return readStandardInput(what)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`Cannot read ${path}: ${whyUnreadable(error)}`)
  }
}

/** The cause in words, where it is one of the usual ones. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  if (code === 'ENOENT') return 'there is no such file'
  return code === 'EISDIR' ? 'it is a directory' : code
}

/** The same of a file that cannot be written. */
export function whyUnwritable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  switch (code) {
    case 'ENOENT':
      return 'its directory does not exist'
    case 'EISDIR':
      return 'it is a directory'
    case 'ENOTDIR':
      return 'a file is in the way'
    case 'EACCES':
    case 'EPERM':
      return 'this user may not'
    case 'EROFS':
      return 'its file system is read-only'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full'
    default:
      return code
  }
}
