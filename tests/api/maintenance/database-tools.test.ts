import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backUp, checkDatabase, move, purge, restore } from '../../../api/node/maintenance/main.ts'
import { splitStatements } from '../../../api/node/maintenance/read-dump.ts'
import { type RunningServer, startServer } from '../../../api/node.ts'
import { UNFINISHED_COPY } from '../../../db/copy-database.ts'
import { findEpoch } from '../../../db/identity.ts'
import { MIGRATIONS, SCHEMA_VERSION } from '../../../db/migrate.ts'
import { openFile } from '../../../db/open-file.ts'
import { completionOf } from '../../helpers/completion.ts'
import type { Started } from '../../helpers/workflow.ts'

let directory: string
let lines: string[]
const running: RunningServer[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-maintenance-'))
  lines = []
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
  rmSync(directory, { recursive: true, force: true })
})

const at = (name: string): string => join(directory, name)

async function serve(name: string): Promise<RunningServer> {
  const server = await startServer({ dbPath: at(name), durability: 'process', log: line => lines.push(line) })
  running.push(server)
  return server
}

async function stop(server: RunningServer): Promise<void> {
  running.splice(running.indexOf(server), 1)
  await server.close()
}

async function call<T>(server: RunningServer, method: string, path: string, body?: unknown): Promise<T> {
  const response = await server.app.request(`/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as T
}

/** A workflow of two jobs whose texts hold what a careless reader of SQL would stumble over. */
async function fill(server: RunningServer, name = "it's; -- 'quoted'\nEND;"): Promise<number> {
  const { id } = await call<{ id: number }>(server, 'POST', '/workflows', { name, user: 'ada' })
  for (const job of ['a', 'b'])
    await call(server, 'POST', '/jobs', { workflow_id: id, name: job, command: `echo "${name}"` })
  return id
}

const namesIn = async (server: RunningServer): Promise<string[]> =>
  (await call<{ items: { name: string }[] }>(server, 'GET', '/workflows')).items.map(({ name }) => name)

const epochOf = async (name: string): Promise<string> => {
  const db = openFile(at(name))
  const epoch = await db.read(findEpoch)
  await db.close()
  return epoch
}

describe('backUp()', () => {
  it('writes a whole, private database while a server writes on', async () => {
    const server = await serve('a.db')
    await fill(server)
    const { path, bytes } = await backUp({ db: at('a.db') }, at('copy.db'))
    await fill(server, 'later')
    expect(statSync(path).size).toBe(bytes)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await checkDatabase({ db: path })).toEqual([])
    expect(await namesIn(await serve('copy.db'))).toHaveLength(1)
  })

  it('leaves a file alone that exists, and no part of one behind when there is nothing to back up', async () => {
    writeFileSync(at('there'), 'mine')
    await expect(backUp({ db: at('a.db') }, at('there'))).rejects.toThrow(/exists/)
    expect(readFileSync(at('there'), 'utf8')).toBe('mine')
    await expect(backUp({ db: at('missing.db') }, at('copy.db'))).rejects.toThrow(/Cannot find a database/)
    expect(readdirSync(directory)).toEqual(['there'])
  })
})

describe('restore()', () => {
  it('puts the backup in place under a new epoch, and keeps what was there', async () => {
    const server = await serve('a.db')
    await fill(server, 'first')
    await backUp({ db: at('a.db') }, at('copy.db'))
    await fill(server, 'second')
    await expect(restore(at('copy.db'), at('a.db'))).rejects.toThrow(/another server owns it/)
    await stop(server)
    const lost = await epochOf('a.db')
    const { before } = await restore(at('copy.db'), at('a.db'))
    expect(await epochOf('a.db')).not.toBe(lost)
    expect(await checkDatabase({ db: before! })).toEqual([])
    expect(await namesIn(await serve('a.db'))).toEqual(['first'])
  })

  it.each([
    ['is damaged', (whole: Buffer) => whole.subarray(0, whole.length - 4096)],
    ['is no database', () => Buffer.from('SELECT * FROM nothing;')],
    ['is empty', () => Buffer.alloc(0)],
  ])('changes nothing when the backup %s', async (_, spoil) => {
    const server = await serve('a.db')
    await fill(server, 'first')
    await backUp({ db: at('a.db') }, at('copy.db'))
    await stop(server)
    writeFileSync(at('copy.db'), spoil(readFileSync(at('copy.db'))))
    await expect(restore(at('copy.db'), at('a.db'))).rejects.toThrow(/^Cannot /)
    expect(readdirSync(directory).filter(name => /restoring|before/.test(name))).toEqual([])
    expect(await namesIn(await serve('a.db'))).toEqual(['first'])
  })

  it('reads the SQL text of a dump', async () => {
    const server = await serve('a.db')
    await fill(server)
    await stop(server)
    writeFileSync(at('dump.sql'), dumpOf(at('a.db')))
    await restore(at('dump.sql'), at('b.db'))
    expect(await checkDatabase({ db: at('b.db') })).toEqual([])
    expect(await namesIn(await serve('b.db'))).toEqual(["it's; -- 'quoted'\nEND;"])
  })

  it('refuses a dump that ends in the middle', async () => {
    const server = await serve('a.db')
    await fill(server)
    await stop(server)
    const dump = dumpOf(at('a.db'))
    writeFileSync(at('dump.sql'), dump.slice(0, dump.length / 2))
    await expect(restore(at('dump.sql'), at('b.db'))).rejects.toThrow(/^Cannot restore/)
    expect(readdirSync(directory)).not.toContain('b.db')
  })
})

/** What SQLite's own shell would write, for tables of numbers and texts. */
function dumpOf(path: string): string {
  const connection = new Database(path)
  const parts = connection
    .prepare(`SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'`)
    .all([]) as { type: string; name: string; sql: string }[]
  const literal = (value: unknown): string =>
    typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : value === null ? 'NULL' : String(value)
  const rows = (table: string): string[] =>
    (connection.prepare(`SELECT * FROM "${table}"`).all([]) as Record<string, unknown>[]).map(
      row => `INSERT INTO "${table}" VALUES(${Object.values(row).map(literal).join()});`,
    )
  const text = [
    'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;',
    ...parts.filter(({ type }) => type === 'table').flatMap(({ name, sql }) => [`${sql};`, ...rows(name)]),
    ...parts.filter(({ type }) => type !== 'table').map(({ sql }) => `${sql};`),
    'COMMIT;\n',
  ].join('\n')
  connection.close()
  return text
}

describe('splitStatements()', () => {
  it('finds the same statements wherever the text is cut', async () => {
    const statements = [
      `INSERT INTO t VALUES('a;''b', "c;d");`,
      ' CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET a = 1; DELETE FROM u; END;',
      " SELECT 1 -- it's; not over\n - /* nor; 'here */ 2;",
    ]
    const text = statements.join('')
    for (let cut = 0; cut <= text.length; cut++) {
      const found: string[] = []
      for await (const one of splitStatements(Readable.from([text.slice(0, cut), text.slice(cut)]))) found.push(one)
      expect(found).toEqual(statements)
    }
  })
})

describe('checkDatabase()', () => {
  it('tells what is wrong in a database that somebody changed by hand', async () => {
    const server = await serve('a.db')
    await fill(server)
    expect(await checkDatabase({ db: at('a.db') })).toEqual([])
    const connection = new Database(at('a.db'))
    connection.exec('UPDATE workflow_count SET n = n + 1 WHERE status = 1')
    connection.close()
    expect((await checkDatabase({ db: at('a.db') })).map(({ what }) => what)).toEqual([
      'a counter differs from the jobs it counts',
    ])
  })
})

describe('move()', () => {
  it('copies every row and goes on counting where the original did', async () => {
    const server = await serve('a.db')
    const last = await fill(server, 'last')
    const gone = await fill(server, 'gone')
    await call(server, 'DELETE', `/workflows/${gone}`)
    await stop(server)
    await move({ db: at('a.db') }, { db: at('b.db') })
    expect(await checkDatabase({ db: at('b.db') })).toEqual([])
    expect(rowsOf(at('b.db'))).toEqual(rowsOf(at('a.db')))
    const moved = await serve('b.db')
    expect(await namesIn(moved)).toEqual(['last'])
    expect(await fill(moved, 'next')).toBe(gone + 1)
    expect(last).toBeLessThan(gone)
  })

  it('refuses a source that is in use and a target that holds something', async () => {
    const server = await serve('a.db')
    await expect(move({ db: at('a.db') }, { db: at('b.db') })).rejects.toThrow(/another server owns it/)
    await stop(server)
    await stop(await serve('b.db'))
    await expect(move({ db: at('a.db') }, { db: at('b.db') })).rejects.toThrow(/holds something/)
  })

  it('begins anew where one was cut short; no server takes half a copy', async () => {
    const server = await serve('a.db')
    await fill(server)
    await stop(server)
    const half = new Database(at('b.db'))
    half.exec(
      `CREATE TABLE ${UNFINISHED_COPY} (since TEXT); CREATE TABLE workflow (id INTEGER); INSERT INTO workflow VALUES (7)`,
    )
    half.close()
    await expect(serve('b.db')).rejects.toThrow(/did not end: run `runner server move` again/)
    await move({ db: at('a.db') }, { db: at('b.db') })
    expect(rowsOf(at('b.db'))).toEqual(rowsOf(at('a.db')))
  })
})

function rowsOf(path: string): Record<string, unknown[]> {
  const connection = new Database(path)
  const tables = connection.prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`).all([]) as {
    name: string
  }[]
  const rows = Object.fromEntries(
    tables.map(({ name }) => [name, connection.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all([])]),
  )
  connection.close()
  return rows
}

/** Completes every job of a workflow. */
async function finish(server: RunningServer, id: number): Promise<void> {
  const { items } = await call<{ items: { id: number }[] }>(server, 'GET', `/jobs?workflow_id=${id}`)
  const node = await call<{ id: number }>(server, 'POST', '/compute_nodes', {
    ...{ workflow_id: id, hostname: 'n', pid: 1, start_time: '2026-01-01T00:00:00Z', num_cpus: 1, memory_gb: 1 },
    ...{ num_gpus: 0, num_nodes: 1, compute_node_type: 'local' },
  })
  await call(server, 'POST', `/workflows/${id}/claim_next_jobs?limit=9`, { compute_node_id: node.id })
  const started = { workflowId: id, nodeId: node.id } as Started
  await call(server, 'POST', `/workflows/${id}/batch_complete_jobs`, {
    completions: items.map(job => completionOf(started, job.id)),
  })
}

describe('purge()', () => {
  it('removes workflows that have been over for long, and no other', async () => {
    const server = await serve('a.db')
    const over = await fill(server, 'over')
    const open = await fill(server, 'open')
    const empty = await call<{ id: number }>(server, 'POST', '/workflows', { name: 'empty', user: 'ada' })
    for (const id of [over, open]) await call(server, 'POST', `/workflows/${id}/initialize_jobs`)
    await finish(server, over)
    await stop(server)
    const place = { db: at('a.db') }
    const future = Date.now() + 60_000
    expect(await purge(place, Date.now() - 60_000, false)).toEqual([])
    expect(await purge(place, future, true)).toMatchObject([{ id: over, name: 'over', jobs: 2 }])
    expect(await purge(place, future, false)).toMatchObject([{ id: over }])
    expect(await checkDatabase(place)).toEqual([])
    expect(await namesIn(await serve('a.db'))).toEqual(['open', 'empty'])
    expect(empty.id).toBeGreaterThan(open)
  })
})

describe('startServer()', () => {
  it('keeps a copy of a database of an older schema beside it before it brings it up to date', async () => {
    const older = new Database(at('a.db'))
    older.exec(
      'CREATE TABLE headrace_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)',
    )
    for (const { version, name, statements } of MIGRATIONS.slice(0, -1)) {
      for (const sql of statements) older.exec(sql)
      older.prepare('INSERT INTO headrace_migration VALUES (?, ?, 0)').run([version, name])
    }
    older.close()
    await stop(await serve('a.db'))
    const kept = new Database(at(`a.db.schema-${SCHEMA_VERSION - 1}`))
    expect(kept.prepare('SELECT max(version) AS v FROM headrace_migration').all([])).toEqual([
      { v: SCHEMA_VERSION - 1 },
    ])
    kept.close()
    expect(lines.join()).toContain('a copy of it as it was is kept')
    lines = []
    await stop(await serve('a.db'))
    expect(lines).toEqual([])
  })
})
