import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/** What shells answer for a command that cannot be started, and for one that a signal has ended. */
const NOT_STARTED = 127
const KILLED = 128

/**
 * Runs a line of shell whose output is appended to a file that its owner alone can read, and gives its exit code. Rejects when it could not
 * run at all: the file cannot be written, or the line is longer than the system takes.
 */
export async function runLogged(
  command: string,
  logPath: string,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<number> {
  const log = openSync(logPath, 'a', 0o600)
  try {
    const child = spawn('bash', ['-c', command], { cwd, env, stdio: ['ignore', log, log] })
    return await new Promise(resolve => {
      child.on('error', () => resolve(NOT_STARTED))
      child.on('exit', code => resolve(code ?? KILLED))
    })
  } finally {
    closeSync(log)
  }
}
