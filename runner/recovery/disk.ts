import { statSync } from 'node:fs'
import { resolve } from 'node:path'

/** When a file was last changed, in seconds since 1970; undefined when it is not there or cannot be looked at. */
export function modifiedSeconds(path: string, base: string): number | undefined {
  try {
    const found = statSync(resolve(base, path), { throwIfNoEntry: false })
    return found && found.mtimeMs / 1000
  } catch {
    return undefined
  }
}
