import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { cannotRun } from '../command-line/error.ts'

/** 256 random bits, as text for a header. */
const newToken = (): string => randomBytes(32).toString('base64url')

/**
 * Reads a relay's token from a file that only our user can read; makes token and file when there is none. Throws for a file that others
 * can read, or that holds no token.
 */
export function relayToken(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) writeNew(path)
  return readRelayToken(path)
}

/** Of several that start at once one makes the file; the others read what it wrote. */
function writeNew(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      writeSync(file, `${newToken()}\n`)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw cannotRun(`Cannot write the token file ${path} (${code})`)
  }
}

/** The token in a file; throws with what is wrong with the file. */
export function readRelayToken(path: string): string {
  let mode: number
  let token: string
  try {
    mode = statSync(path).mode
    token = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw cannotRun(`Cannot read the token file ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
  if ((mode & 0o077) !== 0)
    throw cannotRun(`Cannot use the token in ${path} as other users can get at it: chmod 600 ${path}`)
  if (!/^[\x21-\x7e]{16,}$/.test(token))
    throw cannotRun(`Cannot use the token in ${path} as it must be one word of 16 characters or more`)
  return token
}
