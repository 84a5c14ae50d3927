import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

/** Held until `release`, or until the process ends, however it ends. */
export type DirectoryLock = { release(): void }

/**
 * Takes a directory for this process among all of this host: undefined when another process has it. The lock is an address of the kernel's
 * own (an abstract socket), so a killed process leaves nothing behind. Where there are none, it is always granted, and the runner's state
 * file is all that tells.
 */
export function lockDirectory(path: string): Promise<DirectoryLock | undefined> {
  const release = (server: Server): DirectoryLock => ({ release: () => void server.close() })
  if (process.platform !== 'linux') return Promise.resolve({ release() {} })
  const name = createHash('sha256').update(realpathSync(path)).digest('hex')
  return new Promise((resolve, reject) => {
    // Nobody has anything to say here.
    const server = createServer(socket => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(`\0headrace-runner-${name}`, () => resolve(release(server.unref())))
  })
}
