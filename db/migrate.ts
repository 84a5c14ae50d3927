import { first } from './migrations/0001-first.ts'
import { restOfContract } from './migrations/0002-rest-of-contract.ts'
import { access } from './migrations/0003-access.ts'
import { ours } from './migrations/0004-ours.ts'
import { leases } from './migrations/0005-leases.ts'
import { writeReceipts } from './migrations/0006-write-receipts.ts'
import { handedBack } from './migrations/0007-handed-back.ts'
import { all, one, run, type Unit } from './unit.ts'

export type Migration = { version: number; name: string; statements: readonly string[] }

/** All migrations in order, as text in the program: they also apply where there is no file system. Never edit one that was released. */
export const MIGRATIONS: readonly Migration[] = [first, restOfContract, access, ours, leases, writeReceipts, handedBack]

export const SCHEMA_VERSION = MIGRATIONS[MIGRATIONS.length - 1]!.version

/** Thrown when the file was written by a newer Headrace: an older one must not touch it. */
export class NewerDatabase extends Error {
  constructor(found: number) {
    super(
      `Cannot open the database as a newer Headrace made it: schema ${found}, this program knows ${SCHEMA_VERSION}. Use the newer program, or name another file with --db`,
    )
  }
}

/** Whether the schema is not that of this program, so that migrate has work, or reason to refuse. Takes no lock. */
export function* needsMigration(): Unit<boolean> {
  if ((yield* one(`SELECT 1 FROM sqlite_master WHERE name = 'headrace_migration'`)) === undefined) return true
  const row = yield* one<{ n: number; newest: number | null }>(
    'SELECT count(*) AS n, max(version) AS newest FROM headrace_migration',
  )
  return row!.n !== MIGRATIONS.length || row!.newest !== SCHEMA_VERSION
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
