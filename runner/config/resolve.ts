import { dirname, resolve } from 'node:path'
import { didYouMean } from '../../api/core/spec/hints.ts'
import { usageError } from '../command-line/error.ts'
import type { ConfigFile } from './files.ts'
import { parseConfig } from './parse.ts'
import { SETTINGS, variablesOf } from './settings.ts'

/** A value and who said it. `strength` grows from the system's file to the environment. */
export type Resolved = { value: string; source: string; strength: number }

const ENVIRONMENT_STRENGTH = 3
const STRENGTH: Record<ConfigFile['level'], number> = { system: 0, user: 1, project: 2 }

/**
 * What the files and the environment say about every setting: the environment before the project's file before the user's before
 * the system's. Values are not looked at yet. Throws a usage error that names file and line of a setting that is none.
 */
export function resolveSettings(files: readonly ConfigFile[], env: NodeJS.ProcessEnv): Map<string, Resolved> {
  const resolved = new Map<string, Resolved>()
  for (const file of files) {
    for (const { key, value, line } of parseConfig(file.text, file.path)) {
      const source = `${file.path}:${line}`
      const setting = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : undefined
      if (setting === undefined) {
        throw usageError(`Cannot use ${key} of ${source} as it is unknown: ${didYouMean(key, Object.keys(SETTINGS))}`)
      }
      const strength = STRENGTH[file.level]
      // A path in a file means the same wherever the command is called.
      const whole = setting.kind === 'path' ? resolve(dirname(file.path), value) : value
      resolved.set(key, { value: whole, source, strength })
    }
  }
  for (const name of Object.keys(SETTINGS)) {
    const variable = variablesOf(name).find(candidate => env[candidate])
    if (variable === undefined) continue
    resolved.set(name, { value: env[variable]!, source: variable, strength: ENVIRONMENT_STRENGTH })
  }
  return resolved
}

/** Throws a usage error that names the source of a value that cannot be understood. Only commands that use a setting mind. */
export function checkResolved(name: string, { value, source }: Resolved): void {
  SETTINGS[name]?.check?.(`${name} of ${source}`, value)
}
