import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cannotRun } from '../command-line/error.ts'

/** Where the node's resident part is found: by everybody of this user, without being told. The client has the same rule (native/node.c). */
export function nodeSocketPath(env: NodeJS.ProcessEnv, uid: number): string {
  if (env.HEADRACE_NODE_SOCKET) return env.HEADRACE_NODE_SOCKET
  return env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'headrace/node.sock') : `/tmp/headrace-${uid}/node.sock`
}

/**
 * Makes the socket's directory, which only its owner may enter. Throws, with exit code 3, when it cannot be made or when somebody else
 * made it: /tmp is everybody's. The directory of a path that the user names is the user's own affair.
 */
export function makeSocketDirectory(path: string, isNamed: boolean): void {
  const directory = dirname(path)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (isNamed) return
    const found = lstatSync(directory)
    if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error('it is not this user’s own directory')
    if ((found.mode & 0o777) !== 0o700) chmodSync(directory, 0o700)
  } catch (error) {
    throw cannotRun(
      `Cannot lend cores to local launches at ${path}: ${(error as Error).message}; HEADRACE_NODE_SOCKET names another place`,
    )
  }
}
