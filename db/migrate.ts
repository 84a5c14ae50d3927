import { UNFINISHED_COPY } from './copy-database.ts'
import { first } from './migrations/0001-first.ts'
import { restOfContract } from './migrations/0002-rest-of-contract.ts'
import { access } from './migrations/0003-access.ts'
import { ours } from './migrations/0004-ours.ts'
import { leases } from './migrations/0005-leases.ts'
import { writeReceipts } from './migrations/0006-write-receipts.ts'
import { handedBack } from './migrations/0007-handed-back.ts'
import { pipe } from './migrations/0008-pipe.ts'
import { allocations } from './migrations/0009-allocations.ts'
import { tokens } from './migrations/0010-tokens.ts'
import { webhooks } from './migrations/0011-webhooks.ts'
import { fileDigests } from './migrations/0012-file-digests.ts'
import { webhookTries } from './migrations/0013-webhook-tries.ts'
import { actionTrigger } from './migrations/0014-action-trigger.ts'
import { all, one, run, type Unit } from './unit.ts'

export type Migration = { version: number; name: string; statements: readonly string[] }

/** All migrations in order, as text in the program: they also apply where there is no file system. Never edit one that was released. */
export const MIGRATIONS: readonly Migration[] = [
  first,
  restOfContract,
  access,
  ours,
  leases,
  writeReceipts,
  handedBack,
  pipe,
  allocations,
  tokens,
  webhooks,
  fileDigests,
  webhookTries,
  actionTrigger,
]

export const SCHEMA_VERSION = MIGRATIONS[MIGRATIONS.length - 1]!.version

/** Thrown when the file was written by a newer Headrace: an older one must not touch it. */
export class NewerDatabase extends Error {
  constructor(found: number) {
    super(
      `Cannot open the database as a newer Headrace made it: schema ${found}, this program knows ${SCHEMA_VERSION}. Use the newer program, or name another file with --db`,
    )
  }
}

/** Thrown when a copy into the file was begun and never ended (db/copy-database.ts). */
export class UnfinishedDatabase extends Error {
  constructor() {
    super(
      'Cannot open the database as copying into it did not end: run `runner server move` again, or name another one with --db',
    )
  }
}

/** The version of the schema; 0 in a database that has none yet. */
export function* findSchemaVersion(): Unit<number> {
  if ((yield* one(`SELECT 1 FROM sqlite_master WHERE name = 'headrace_migration'`)) === undefined) return 0
  return (yield* one<{ newest: number | null }>('SELECT max(version) AS newest FROM headrace_migration'))!.newest ?? 0
}

/** Whether the schema is not that of this program, so that migrate has work, or reason to refuse. Takes no lock. */
export function* needsMigration(): Unit<boolean> {
  if ((yield* one(`SELECT 1 FROM sqlite_master WHERE name = 'headrace_migration'`)) === undefined) return true
  const row = yield* one<{ n: number; newest: number | null }>(
    'SELECT count(*) AS n, max(version) AS newest FROM headrace_migration',
  )
  return row!.n !== MIGRATIONS.length || row!.newest !== SCHEMA_VERSION
}

/** Brings the schema up to date in one transaction. Returns the versions applied now. Throws NewerDatabase on a newer file, UnfinishedDatabase on half a copy. */
export function* migrate(now: number): Unit<number[]> {
  if ((yield* one('SELECT 1 FROM sqlite_master WHERE name = ?', UNFINISHED_COPY)) !== undefined)
    throw new UnfinishedDatabase()
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
