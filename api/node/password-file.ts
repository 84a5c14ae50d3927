import { readFileSync, statSync } from 'node:fs'
import type { Passwords } from '../access.ts'
import { AppError } from '../errors.ts'
import { createBcryptWorker } from './bcrypt-worker.ts'
import { BadPasswordFile, parseHtpasswd, standInHash, type Users } from './htpasswd.ts'
import { createPasswordChecks } from './password-checks.ts'
import { codeOf, StartError } from './start-error.ts'

/** How often the file is looked at for a change, at most. */
const LOOK_MS = 1_000

export type PasswordFileOptions = {
  path: string
  rememberSeconds: number
  log: (line: string) => void
  /** Milliseconds; passed in for tests. */
  now?: () => number
}

export type PasswordFile = Passwords & { close(): Promise<void> }

/**
 * Opens an htpasswd file whose passwords requests show. It is read anew when it has changed; a file that cannot be read then leaves the
 * old users in place. Throws StartError when it cannot be read now.
 */
export function openPasswordFile({ path, rememberSeconds, log, now = Date.now }: PasswordFileOptions): PasswordFile {
  let users = usersAtStart(path)
  let version = versionOf(path)
  let nextLook = now() + LOOK_MS
  const bcrypt = createBcryptWorker()
  const checks = createPasswordChecks({
    compare: async (user, password) => {
      const hash = users.get(user)
      const fits = await bcrypt.compare(password, hash ?? standInHash(users, user))
      return fits && hash !== undefined
    },
    rememberMs: rememberSeconds * 1000,
    now,
  })

  function readAnew(): void {
    version = versionOf(path)
    users = readUsers(path)
    checks.forget()
  }

  function lookForChange(): void {
    if (now() < nextLook) return
    nextLook = now() + LOOK_MS
    if (versionOf(path) === version) return
    try {
      readAnew()
      log(`Read ${path} anew: ${users.size} users`)
    } catch (error) {
      log(`Cannot read the password file anew, the users stay as they were: ${reasonOf(path, error)}`)
    }
  }

  return {
    async check(user, password) {
      lookForChange()
      // An empty password counts as wrong, whatever the file says (contract/notes.md 6.1).
      return password !== '' && checks.check(user, password)
    },
    remembers: (user, password) => checks.remembers(user, password),
    async reload() {
      try {
        readAnew()
      } catch (error) {
        throw new AppError('invalid', `Cannot reload the password file: ${reasonOf(path, error)}`)
      }
      return users.size
    },
    close: () => bcrypt.close(),
  }
}

const readUsers = (path: string): Users => parseHtpasswd(readFileSync(path, 'utf8'))

function usersAtStart(path: string): Users {
  try {
    return readUsers(path)
  } catch (error) {
    throw new StartError(`Cannot use the password file: ${reasonOf(path, error)}`)
  }
}

/** What tells one state of the file from another, a file put in its place included; empty when there is none. */
function versionOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.ino}:${stats.size}:${stats.mtimeMs}`
}

function reasonOf(path: string, error: unknown): string {
  if (error instanceof BadPasswordFile) return `${path}: ${error.message}`
  const code = codeOf(error)
  if (code !== '') return `${path} cannot be read (${code})`
  throw error
}
