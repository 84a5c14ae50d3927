import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFile } from '../../db/open-file.ts'
import { openRemote, type RemoteDb } from '../../db/open-remote.ts'
import type { Db } from '../../db/unit.ts'
import { type Sqld, startSqld } from './sqld.ts'
import { fileTemplate, sqldTemplate } from './templates.ts'

/** The same tests run over a file and over a libSQL server, so that no statement drifts to one of them: see vitest.config.ts. */
export const OVER_SQLD = process.env.HEADRACE_TEST_DB === 'sqld'

/** How often a property is tried. Over a server, where each try is many round trips, the tests of a file need not be repeated in full. */
export const runsOf = (runs: number): number => (OVER_SQLD ? Math.ceil(runs / 4) : runs)

export type TestDb = {
  db: Db
  /** The path of the database file, in a folder of its own, or the server's address. */
  dbPath: string
  /** Another connection to the same database, as the next process would have. */
  reopen(): Db
  remove(): Promise<void>
}

/** An empty database on the back end that this run of the tests is about. */
export async function openTestDb(): Promise<TestDb> {
  return OVER_SQLD ? openSqldDb() : openFileDb()
}

/** The same with its schema. */
export async function openMigratedDb(): Promise<TestDb> {
  return OVER_SQLD ? openSqldDb(sqldTemplate()) : openFileDb(fileTemplate())
}

/** A database at a libSQL server of its own, empty unless there is a template of its data. */
export async function openSqldDb(template?: string): Promise<TestDb & { db: RemoteDb; sqld: Sqld }> {
  const sqld = await startSqld({ template })
  const open = () => openRemote({ url: sqld.url, queue: true })
  const db = open()
  return {
    db,
    dbPath: sqld.url,
    sqld,
    reopen: open,
    async remove() {
      await db.close()
      await sqld.stop()
    },
  }
}

async function openFileDb(template?: string): Promise<TestDb> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-app-'))
  const dbPath = join(folder, 'test.db')
  if (template !== undefined) copyFileSync(template, dbPath)
  const db = openFile(dbPath)
  return {
    db,
    dbPath,
    reopen: () => openFile(dbPath),
    async remove() {
      await db.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
