import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type FreshDirectories = {
  /** Makes an empty directory that nothing has used before. */
  make(name: string): string
}

/**
 * Gives every run a directory of its own and keeps them all until the process exits: on ext4, deleting the last run's files just before a run makes
 * creating files a hundred times dearer (performance.md).
 */
export function openFreshDirectories(): FreshDirectories {
  const base = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  // What still runs then is being ended and may write once more.
  process.once('exit', () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }))
  let made = 0
  return {
    make(name) {
      const path = join(base, `${String(++made).padStart(3, '0')}-${name.replaceAll(/[^\w.-]+/g, '-')}`)
      mkdirSync(path)
      return path
    },
  }
}
