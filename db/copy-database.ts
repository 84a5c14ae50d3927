import { RemoteError } from './hrana.ts'
import { all, type Db, one, run, type SqlValue, type Unit } from './unit.ts'

/** A table and how many rows of it were copied. */
export type CopiedTable = { table: string; rows: number }

/** Why a copy cannot be made, or is not what its original is. Says what to do. */
export class CopyError extends Error {}

type Part = { type: 'table' | 'index' | 'trigger' | 'view'; name: string; sql: string }
type Row = Record<string, SqlValue>

/** Stands in a database from the beginning of a copy to its end: nothing else may use it meanwhile (db/migrate.ts). */
export const UNFINISHED_COPY = 'headrace_unfinished_copy'

/** Rows that a driver leaves for itself while it copies. */
const OF_THE_DRIVER: ReadonlySet<string> = new Set(['write_receipt'])
/** Values in one INSERT, below SQLite's limit of 32,766. */
const MOST_VALUES = 20_000
/** Rows asked for at once; fewer when their texts do not fit into one reply of a database server. */
const MOST_ROWS = 500
const TOO_LARGE = 'RESPONSE_TOO_LARGE'

/**
 * Copies a database into an empty one: tables first, then their rows, then what keeps them in order. A copy that was cut short is begun
 * anew. Nobody may write on either side meanwhile; the rows are counted on both afterwards. Throws CopyError when the target holds
 * something else, or when the counts differ.
 */
export async function copyDatabase(from: Db, to: Db): Promise<CopiedTable[]> {
  const parts = await from.read(listParts)
  await to.write(() => begin(parts))
  const copied: CopiedTable[] = []
  for (const { name } of parts.filter(part => part.type === 'table' && !OF_THE_DRIVER.has(part.name)))
    copied.push({ table: name, rows: await copyTable(from, to, name) })
  const sequences = await from.read(() => all<{ name: string; seq: number }>('SELECT name, seq FROM sqlite_sequence'))
  await to.write(() => finish(parts, sequences))
  for (const { table, rows } of copied) {
    const [before, after] = [await count(from, table), await count(to, table)]
    if (before !== rows || after !== rows) {
      throw new CopyError(
        `Cannot vouch for the copy: ${table} has ${before} rows, ${rows} were read and ${after} arrived. Stop whatever uses either database and copy into another empty one`,
      )
    }
  }
  return copied
}

/** What the database is made of, its tables with those that others refer to first. */
function* listParts(): Unit<Part[]> {
  const parts = yield* all<Part>(
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       AND name NOT LIKE 'libsql\\_%' ESCAPE '\\' ORDER BY rowid`,
  )
  const tables = new Map(parts.filter(part => part.type === 'table').map(part => [part.name, part]))
  const inOrder = new Set<Part>()
  const visit = (part: Part, targets: ReadonlyMap<string, readonly string[]>): void => {
    if (inOrder.has(part)) return
    for (const target of targets.get(part.name) ?? []) if (target !== part.name) visit(tables.get(target)!, targets)
    inOrder.add(part)
  }
  const targets = new Map<string, string[]>()
  for (const name of tables.keys()) {
    const rows = yield* all<{ target: string }>(
      'SELECT DISTINCT "table" AS target FROM pragma_foreign_key_list(?)',
      name,
    )
    targets.set(
      name,
      rows.map(row => row.target),
    )
  }
  for (const part of tables.values()) visit(part, targets)
  return [...inOrder, ...parts.filter(part => part.type !== 'table')]
}

function* begin(parts: readonly Part[]): Unit<void> {
  const there = yield* listParts()
  const unfinished = there.some(part => part.name === UNFINISHED_COPY)
  if (there.length > 0 && !unfinished)
    throw new CopyError('Cannot copy into a database that holds something: name an empty one')
  // The referring ones first, as their rows go with them.
  for (const { name } of there.filter(part => part.type === 'table').reverse()) yield* run(`DROP TABLE ${quoted(name)}`)
  yield* run(`CREATE TABLE ${UNFINISHED_COPY} (since TEXT)`)
  for (const { sql } of parts.filter(part => part.type === 'table')) yield* run(sql)
}

function* finish(parts: readonly Part[], sequences: readonly { name: string; seq: number }[]): Unit<void> {
  for (const { sql } of parts.filter(part => part.type !== 'table')) yield* run(sql)
  // The highest numbers that were ever given, which may be higher than those that are left.
  yield* run('DELETE FROM sqlite_sequence')
  for (const { name, seq } of sequences) yield* run('INSERT INTO sqlite_sequence(name, seq) VALUES (?, ?)', name, seq)
  yield* run(`DROP TABLE ${UNFINISHED_COPY}`)
}

async function copyTable(from: Db, to: Db, table: string): Promise<number> {
  const { columns, key } = await from.read(() => describe(table))
  let most = Math.min(MOST_ROWS, Math.floor(MOST_VALUES / columns.length))
  let after: SqlValue[] | undefined
  let rows = 0
  while (true) {
    let page: Row[]
    try {
      page = await from.read(() => readPage(table, columns, key, after, most))
    } catch (error) {
      if (!(error instanceof RemoteError && error.code === TOO_LARGE && most > 1)) throw error
      most = Math.ceil(most / 2)
      continue
    }
    const last = page.at(-1)
    if (last === undefined) return rows
    await to.write(() => insert(table, columns, page))
    rows += page.length
    after = key.map(column => last[column]!)
  }
}

/** A table's columns and those its rows are numbered by: its primary key, or the number that SQLite gives each row. */
function* describe(table: string): Unit<{ columns: string[]; key: string[] }> {
  const rows = yield* all<{ name: string; pk: number }>('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid', table)
  const key = rows
    .filter(row => row.pk > 0)
    .sort((a, b) => a.pk - b.pk)
    .map(row => row.name)
  const columns = rows.map(row => row.name)
  return key.length > 0 ? { columns, key } : { columns: ['rowid', ...columns], key: ['rowid'] }
}

function readPage(
  table: string,
  columns: readonly string[],
  key: readonly string[],
  after: readonly SqlValue[] | undefined,
  most: number,
): Unit<Row[]> {
  const order = key.map(quoted).join()
  const where = after === undefined ? '' : `WHERE (${order}) > (${key.map(() => '?').join()})`
  return all<Row>(
    `SELECT ${columns.map(quoted).join()} FROM ${quoted(table)} ${where} ORDER BY ${order} LIMIT ${most}`,
    ...(after ?? []),
  )
}

function insert(table: string, columns: readonly string[], rows: readonly Row[]): Unit<void> {
  const one = `(${columns.map(() => '?').join()})`
  return run(
    `INSERT INTO ${quoted(table)} (${columns.map(quoted).join()}) VALUES ${rows.map(() => one).join()}`,
    ...rows.flatMap(row => columns.map(column => row[column]!)),
  )
}

async function count(db: Db, table: string): Promise<number> {
  return (await db.read(() => one<{ n: number }>(`SELECT count(*) AS n FROM ${quoted(table)}`)))!.n
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
