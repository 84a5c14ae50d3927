import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { cannotRun } from '../command-line/error.ts'
import { whyUnwritable } from '../text-file.ts'

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
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const why = isThere ? 'there is such a file already' : whyUnwritable(error)
    throw cannotRun(`Cannot write the token to ${path}: ${why}`)
  }
}

/** Throws when there is such a file: to be asked before a token is made, whose text would be lost, or an old one's secret changed. */
export function refuseTokenFile(path: string | undefined): void {
  if (path !== undefined && existsSync(path))
    throw cannotRun(`Cannot write the token to ${path}: there is such a file already`)
}
