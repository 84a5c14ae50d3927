import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './soak-place.ts'

/** A disk of a place that can be filled up. */
export type SmallDisk = {
  /** Takes what room is left, to the last byte. May be called again for what has become free. */
  fill(): void
  clear(): void
}

/** Mounts a disk of so many bytes over a directory of a place, which is made when it is missing. */
export function mountDisk(place: Place, directory: string, bytes: number): SmallDisk {
  mkdirSync(directory, { recursive: true })
  place.run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory)
  const ballast = join(place.seen(directory), 'ballast')
  return {
    fill() {
      for (let piece = LARGEST_PIECE; piece >= 1; piece /= 2) while (fits(ballast, piece));
    },
    clear: () => rmSync(ballast, { force: true }),
  }
}

const LARGEST_PIECE = 2 ** 20

function fits(path: string, bytes: number): boolean {
  try {
    appendFileSync(path, Buffer.alloc(bytes))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
