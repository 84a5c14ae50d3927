import { readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import Database from 'libsql'
import { touchPrivateFile, writePrivateFile } from './private-file.ts'
import { codeOf, StartError } from './start-error.ts'

export type Ownership = {
  /** Says in the file beside the lock where the owner can be reached. */
  announce(url: string): void
  release(): void
}

/** What has no file needs no lock. */
export const NO_OWNERSHIP: Ownership = { announce: () => {}, release: () => {} }

/**
 * Takes a database file for this process alone. The lock is an exclusive transaction on a small database beside it: the kernel frees
 * it when the process ends, however it ends. Throws StartError naming the process that has it.
 */
export function takeOwnership(dbPath: string): Ownership {
  const lockPath = `${dbPath}.lock`
  const ownerPath = `${dbPath}.owner`
  touchPrivateFile(lockPath)
  const lock = new Database(lockPath, { timeout: 0 } as Database.Options)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!codeOf(error).startsWith('SQLITE_BUSY')) throw error
    throw new StartError(
      `Cannot open ${dbPath} as another server owns it: ${describeOwner(ownerPath)}. Use that one, or name another file`,
    )
  }
  const announce = (url: string | null) =>
    writePrivateFile(ownerPath, `${JSON.stringify({ host: hostname(), pid: process.pid, url })}\n`)
  announce(null)
  return {
    announce,
    release() {
      rmSync(ownerPath, { force: true })
      lock.close()
    },
  }
}

function describeOwner(path: string): string {
  try {
    const { host, pid, url } = JSON.parse(readFileSync(path, 'utf8'))
    return `process ${pid} on ${host}${url ? ` at ${url}` : ''}`
  } catch {
    return 'a process that has not said its name yet'
  }
}
