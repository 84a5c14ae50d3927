import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/** Whether a program of this name is in the caller's PATH. */
export function hasTool(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some(folder => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
