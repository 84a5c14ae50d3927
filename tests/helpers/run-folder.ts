import { mkdirSync, mkdtempSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * A folder for this run of the tests, whose path tests find in this variable. Each project of a run asks for it and gets the same; that of a run
 * around this one is none of ours. `isNew`: nobody has filled it yet.
 */
export function runFolder(variable: string, parent: string, name: string): { path: string; isNew: boolean } {
  const prefix = `${name}-${process.pid}-`
  const known = process.env[variable]
  if (known !== undefined && basename(known).startsWith(prefix)) return { path: known, isNew: false }
  mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent, prefix))
  process.env[variable] = path
  return { path, isNew: true }
}
