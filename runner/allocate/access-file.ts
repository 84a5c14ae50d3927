import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Proof } from '../client/authorization.ts'
import { shellWord } from '../schedulers/script.ts'

const NAME = 'environment'

/**
 * Writes what proves to the server who we are beside the script of a request, as lines of shell that only their owner can read: scripts
 * themselves can be read by others in many places. Gives the path; undefined when there is nothing to prove.
 */
export function writeAccessFile(directory: string, { token, user }: Proof): string | undefined {
  if (token === undefined) return undefined
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, NAME)
  const lines =
    user === undefined
      ? [`export HEADRACE_TOKEN=${shellWord(token)}`]
      : [`export TORC_PASSWORD=${shellWord(token)}`, `export TORC_USERNAME=${shellWord(user)}`]
  rmSync(path, { force: true })
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' })
  return path
}

/** No element of the request will start any more. */
export const removeAccessFile = (directory: string): void => rmSync(join(directory, NAME), { force: true })
