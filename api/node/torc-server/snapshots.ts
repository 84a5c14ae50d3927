import { existsSync, linkSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { writeSnapshot } from '../../../db/snapshot.ts'
import type { Db } from '../../../db/unit.ts'
import { touchPrivateFile } from '../private-file.ts'

const DEFAULT_PATH = './torc-server-snapshot.db'
const DEFAULT_KEPT = 5

/** Where snapshots go, and how many there may be, the newest included. */
export type SnapshotPlan = { path: string; kept: number }

export function snapshotPlan(env: Readonly<Record<string, string | undefined>>): SnapshotPlan {
  const kept = Number(env.TORC_SERVER_SNAPSHOT_KEEP)
  return {
    path: resolve(env.TORC_SERVER_SNAPSHOT_PATH || DEFAULT_PATH),
    kept: Number.isInteger(kept) && kept >= 1 ? kept : DEFAULT_KEPT,
  }
}

/**
 * Writes a snapshot of the database to the plan's path; what was there moves on to PATH.1, PATH.2 and so on. The path holds a whole
 * snapshot at every moment, the former or the new one. Throws when the file cannot be written; the former ones then stay.
 */
export async function takeSnapshot(db: Db, { path, kept }: SnapshotPlan): Promise<void> {
  const temporary = `${path}.tmp`
  rmSync(temporary, { force: true })
  // Made first, and empty, so that nobody else may read it while it grows.
  touchPrivateFile(temporary)
  try {
    await db.read(() => writeSnapshot(temporary))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  rotate(path, kept)
  renameSync(temporary, path)
}

/** Moves each former snapshot one number on; the oldest goes. */
function rotate(path: string, kept: number): void {
  if (kept === 1 || !existsSync(path)) return
  for (let age = kept - 1; age > 1; age--) {
    if (existsSync(`${path}.${age - 1}`)) renameSync(`${path}.${age - 1}`, `${path}.${age}`)
  }
  rmSync(`${path}.1`, { force: true })
  try {
    // A second name for the newest, so that the path itself is never empty.
    linkSync(path, `${path}.1`)
  } catch {
    // Not every file system has links.
    renameSync(path, `${path}.1`)
  }
}
