import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In memory where that can be had: the shells of the stand-in write a few small files for each job. */
const PARENTS = ['/dev/shm', tmpdir()]

/** Makes a launcher's directory for short-lived files, closed to others. Throws when it cannot be made anywhere. */
export function makeScratch(launcherId: string): string {
  for (const parent of PARENTS) {
    const path = join(parent, `headrace-${launcherId}`)
    try {
      mkdirSync(path, { mode: 0o700 })
      return path
    } catch {
      // The next one, then.
    }
  }
  throw new Error(`Cannot make a directory for the launcher's files in any of: ${PARENTS.join(', ')}`)
}

/** Removes what a launcher left; found by its id, so that the next start can do it for one that was killed. */
export function removeScratch(launcherId: string): void {
  for (const parent of PARENTS) rmSync(join(parent, `headrace-${launcherId}`), { recursive: true, force: true })
}
