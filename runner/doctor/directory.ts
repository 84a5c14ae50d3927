import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatBytes } from '../screen/format.ts'
import { bad, type Finding, ok, warn } from './finding.ts'

/** Magic numbers of file systems that several machines share (statfs(2)). */
const SHARED: Readonly<Record<number, string>> = {
  26985: 'NFS',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  428016422: 'BeeGFS',
  4283649346: 'SMB',
  4266872130: 'SMB',
  12805120: 'Ceph',
}

/** Logs and database of a middling run. */
const LEAST_BYTES = 2 ** 30

/** Looks whether the output directory can be used; one that does not exist yet is judged by where it would be made. */
export function checkDirectory(outputDir: string): Finding {
  const place = nearestThere(outputDir)
  const name = place === outputDir ? outputDir : `${outputDir} (to be made)`
  try {
    accessSync(place, constants.W_OK | constants.X_OK)
  } catch {
    return bad('directory', `${name}: not writable, name another one with --output-dir`)
  }
  const { type, bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  if (free < LEAST_BYTES) return warn('directory', `${name}: only ${formatBytes(free)} free`)
  const shared = SHARED[type]
  if (shared !== undefined)
    return warn('directory', `${name}: on ${shared}; a database on a local disk (--db) is quicker`)
  return ok('directory', `${name}: ${formatBytes(free)} free`)
}

function nearestThere(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestThere(dirname(path))
}
