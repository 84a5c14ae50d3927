import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { backUp, checkDatabase, move, restore } from '../../../api/node/maintenance/main.ts'
import { type RunningServer, startServer } from '../../../api/node.ts'
import { openFile } from '../../../db/open-file.ts'
import { openRemote } from '../../../db/open-remote.ts'
import { all, type Db } from '../../../db/unit.ts'
import { type Sqld, startSqld } from '../../helpers/sqld.ts'

let sqld: Sqld
let directory: string
beforeAll(async () => {
  sqld = await startSqld()
  directory = mkdtempSync(join(tmpdir(), 'headrace-move-'))
})
afterAll(async () => {
  await sqld.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** More than go into one page of a copy. */
const JOBS = 1_200

it('move(), backUp() and restore() take a database from a file to a server and back without losing a row', async () => {
  const file = { db: join(directory, 'a.db') }
  const server = { db: sqld.url }
  await createJobs(file.db)
  const rows = await rowsOf(openFile(file.db))
  expect(rows.job).toHaveLength(JOBS)

  await move(file, server)
  expect(await checkDatabase(server)).toEqual([])
  expect(await rowsOf(openRemote({ url: sqld.url }))).toEqual(rows)

  await move(server, { db: join(directory, 'b.db') })
  expect(await rowsOf(openFile(join(directory, 'b.db')))).toEqual(rows)

  await backUp(server, join(directory, 'dump.sql'))
  await restore(join(directory, 'dump.sql'), join(directory, 'c.db'))
  expect(await checkDatabase({ db: join(directory, 'c.db') })).toEqual([])
  const { identity, ...restored } = await rowsOf(openFile(join(directory, 'c.db')))
  expect({ ...restored, identity: rows.identity }).toEqual(rows)
  expect(identity).not.toEqual(rows.identity)
}, 60_000)

async function createJobs(dbPath: string): Promise<void> {
  const server: RunningServer = await startServer({ dbPath, durability: 'process', log: () => {} })
  const response = await server.app.request('/v1/workflows/from_spec?start=true', {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}` },
    body: `name: "it's; -- quoted"\njobs:\n  - { name: "j_{i}", command: "echo {i}", parameters: { i: "1:${JOBS}" } }\n`,
  })
  await server.close()
  expect(response.status).toBe(200)
}

/** Every row of every table, apart from what remote writes leave to know themselves again. */
async function rowsOf(db: Db): Promise<Record<string, unknown[]>> {
  const tables = await db.read(() =>
    all<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'libsql%' AND name <> 'write_receipt' ORDER BY name`,
    ),
  )
  const rows: Record<string, unknown[]> = {}
  for (const { name } of tables)
    rows[name] = await db.read(() => all(`SELECT * FROM "${name}" ORDER BY 1, 2 LIMIT 2000`))
  await db.close()
  return rows
}
