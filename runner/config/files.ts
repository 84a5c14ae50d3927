import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { usageError } from '../command-line/error.ts'

export type ConfigFile = { level: 'system' | 'user' | 'project'; path: string; text: string }

export type ConfigPlaces = { system: string; user: string; cwd: string }

/** The name of a project's file. It holds for the directory it is in and all below. */
export const PROJECT_FILE = 'headrace.toml'

/** Where files are looked for. */
export function configPlaces(env: NodeJS.ProcessEnv, cwd: string): ConfigPlaces {
  const userDirectory = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config')
  return { system: '/etc/headrace/config.toml', user: join(userDirectory, 'headrace', 'config.toml'), cwd }
}

/** Reads the files there are, the weakest first. Throws a usage error for one that cannot be read. */
export function readConfigFiles({ system, user, cwd }: ConfigPlaces): ConfigFile[] {
  const project = findProjectFile(cwd)
  return [
    ...readIfThere('system', system),
    ...readIfThere('user', user),
    ...(project === undefined ? [] : readIfThere('project', project)),
  ]
}

/** The nearest file in this directory or above. One of another user is passed over: in a shared directory it could send us anywhere. */
function findProjectFile(cwd: string): string | undefined {
  for (let directory = cwd; ; directory = dirname(directory)) {
    const path = join(directory, PROJECT_FILE)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found !== undefined && isTrusted(found.uid)) return path
    if (directory === dirname(directory)) return undefined
  }
}

const isTrusted = (uid: number): boolean => uid === 0 || uid === process.getuid?.()

function readIfThere(level: ConfigFile['level'], path: string): ConfigFile[] {
  try {
    return [{ level, path, text: readFileSync(path, 'utf8') }]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw usageError(`Cannot read the configuration file ${path}: ${code}`)
  }
}
