import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../db/migrate.ts'
import { openFile } from '../../db/open-file.ts'
import { openRemote } from '../../db/open-remote.ts'
import type { Db } from '../../db/unit.ts'
import { runFolder } from './run-folder.ts'
import { startSqld } from './sqld.ts'

/** When the databases of tests begin, by their clocks. */
export const TEST_START = Date.parse('2026-01-01T00:00:00Z')

const VARIABLE = 'HEADRACE_TESTED_TEMPLATES'
const folder = (): string => process.env[VARIABLE]!

/** A database file with its schema and nothing in it: making one takes ten times as long as a copy. */
export const fileTemplate = (): string => join(folder(), 'template.db')
/** The same as the data of a libSQL server. */
export const sqldTemplate = (): string => join(folder(), 'data')

/** Before all tests, once for each project, and after them (vitest.config.ts). */
export default async function setup({ config }: TestProject): Promise<() => void> {
  const { path } = runFolder(VARIABLE, tmpdir(), 'headrace-templates')
  if (!existsSync(fileTemplate())) await fill(openFile(fileTemplate()))
  if (config.env?.HEADRACE_TEST_DB === 'sqld' && !existsSync(sqldTemplate())) {
    const sqld = await startSqld({ data: sqldTemplate() })
    await fill(openRemote({ url: sqld.url, queue: true }))
    await sqld.finish()
  }
  return () => rmSync(path, { recursive: true, force: true })
}

async function fill(db: Db): Promise<void> {
  await db.write(() => migrate(TEST_START))
  await db.close()
}
