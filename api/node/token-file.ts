import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { writePrivateFile } from './private-file.ts'
import { codeOf, StartError } from './start-error.ts'

/** 256 random bits, as text for a header. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/**
 * Reads the server's token from a file that only our user can read; makes token and file when there is none. Throws StartError for a
 * file that others can read, or that holds no token.
 */
export function tokenFromFile(path: string): string {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined) {
    const token = newToken()
    writePrivateFile(path, `${token}\n`)
    return token
  }
  if ((mode & 0o077) !== 0)
    throw new StartError(`Cannot use the token in ${path} as other users can get at it: chmod 600 ${path}`)
  const token = readToken(path)
  if (!/^[\x21-\x7e]{16,}$/.test(token))
    throw new StartError(`Cannot use the token in ${path} as it must be one word of 16 characters or more`)
  return token
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new StartError(`Cannot read the token in ${path} (${codeOf(error)})`)
  }
}
