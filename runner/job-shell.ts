import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

const SHELL = 'bash'

/**
 * The program of a job's text and its arguments. Where bash stands is looked for once: a search along PATH at each start, by the
 * launcher and again by bash for its own name, costs as much as 4 % of a job that does nothing. The last argument is the `$0` that
 * `bash -c` alone would have, in messages too. `path` is the job's own PATH, null where it has none, undefined where it has ours.
 */
export function shellArgv(text: string, path: string | null | undefined): [string, ...string[]] {
  const program = path === undefined ? ownShell() : SHELL
  return program === SHELL ? [SHELL, '-c', text] : [program, '-c', text, SHELL]
}

let found: string | undefined

const ownShell = (): string => (found ??= findShell(process.env.PATH ?? ''))

/** The first bash along a PATH; its bare name where there is none, so that the start fails as any program's that is missing. */
export function findShell(path: string): string {
  const candidates = path.split(':').map(folder => join(folder, SHELL))
  // A folder that is relative means another one in each job's own directory.
  const first = candidates.find(candidate => !isAbsolute(candidate) || isProgram(candidate))
  return first !== undefined && isAbsolute(first) ? first : SHELL
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
