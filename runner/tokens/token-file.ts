import { closeSync, openSync, writeSync } from 'node:fs'
import { cannotRun } from '../command-line/error.ts'

/** Writes a token to a new file that only its owner can read, from its first moment. Throws when there is one already. */
export function writeTokenFile(path: string, token: string): void {
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      writeSync(file, `${token}\n`)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const why = code === 'EEXIST' ? 'there is such a file already' : code
    throw cannotRun(`Cannot write the token to ${path}: ${why}`)
  }
}
