import { first } from './migrations/0001-first.ts'
import { restOfContract } from './migrations/0002-rest-of-contract.ts'
import { all, run, type Unit } from './unit.ts'

export type Migration = { version: number; name: string; statements: readonly string[] }

/** All migrations in order, as text in the program: they also apply where there is no file system. Never edit one that was released. */
export const MIGRATIONS: readonly Migration[] = [first, restOfContract]

export const SCHEMA_VERSION = MIGRATIONS[MIGRATIONS.length - 1]!.version

/** Thrown when the file was written by a newer Headrace: an older one must not touch it. */
export class NewerDatabase extends Error {
  constructor(found: number) {
    super(
      `Cannot open the database as a newer Headrace made it: schema ${found}, this program knows ${SCHEMA_VERSION}. Use the newer program, or name another file with --db`,
    )
  }
}

/** Brings the schema up to date in one transaction. Returns the versions applied now. Throws NewerDatabase on a newer file. */
export function* migrate(now: number): Unit<number[]> {
  yield* run(
    'CREATE TABLE IF NOT EXISTS headrace_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)',
  )
  const done = new Set(
    (yield* all<{ version: number }>('SELECT version FROM headrace_migration')).map(row => row.version),
  )
  const newest = Math.max(0, ...done)
  if (newest > SCHEMA_VERSION) throw new NewerDatabase(newest)
  const applied: number[] = []
  for (const migration of MIGRATIONS) {
    if (done.has(migration.version)) continue
    for (const sql of migration.statements) yield* run(sql)
    yield* run('INSERT INTO headrace_migration VALUES (?, ?, ?)', migration.version, migration.name, now)
    applied.push(migration.version)
  }
  return applied
}
