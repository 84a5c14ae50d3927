import { existsSync, renameSync, rmSync } from 'node:fs'
import { findSchemaVersion, SCHEMA_VERSION } from '../../../db/migrate.ts'
import { type Db, run } from '../../../db/unit.ts'
import { touchPrivateFile } from '../private-file.ts'
import { checkDatabaseFile } from './file-check.ts'

/** Copies a database of an older schema to a file beside it, once, before it is brought up to date: the way back to the older program. */
export async function keepOlder(db: Db, dbPath: string, log: (line: string) => void): Promise<void> {
  const version = await db.read(findSchemaVersion)
  const copy = `${dbPath}.schema-${version}`
  if (version === 0 || version >= SCHEMA_VERSION || existsSync(copy)) return
  const part = `${copy}.part`
  try {
    rmSync(part, { force: true })
    touchPrivateFile(part)
    await db.read(() => run('VACUUM INTO ?', part))
    checkDatabaseFile(part)
    renameSync(part, copy)
  } finally {
    rmSync(part, { force: true })
  }
  log(`The database was made by an older Headrace: a copy of it as it was is kept in ${copy}`)
}
