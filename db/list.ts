import { asc, count, desc, getTableColumns, type InferSelectModel, type SQL, sql } from 'drizzle-orm'
import { QueryBuilder, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { all, one, type SqlValue, type Unit } from './unit.ts'

/** Builds queries as text; db/unit.ts runs them. Properties of db/schema.ts are named like columns, so rows need no mapping. */
export const select = new QueryBuilder()

/** What a list asks of any query built with drizzle; every select of it has this form after `$dynamic()`. */
type Query = {
  where(condition: SQL | undefined): Query
  orderBy(...terms: SQL[]): Query
  limit(n: number): Query
  offset(n: number): Query
  toSQL(): { sql: string; params: unknown[] }
}

type Sortable = SQLiteColumn | SQL
type Sorts = Readonly<Record<string, Sortable>>

export type ListRequest = {
  offset: number
  limit: number
  /** A name of `sorts`; any other counts as none (contract/notes.md 2.2). */
  sort_by?: string
  reverse_sort?: boolean
}

export type Listing = {
  /** The query for the rows, and the same for their number (`counted`). */
  rows: Query
  total: Query
  where: SQL | undefined
  /** What a client may sort by. */
  sorts?: Sorts
  /** The order when none is asked for; it also breaks ties. */
  order: readonly Sortable[]
}

/** The column that `Listing.total` selects. */
export const counted = { n: count().as('n') }

export type Page<Row> = { rows: Row[]; total: number }

/** Runs a list: one page of rows in the order asked for, and how many there are in all. */
export function* listPage<Row>(listing: Listing, request: ListRequest): Unit<Page<Row>> {
  const { sorts = {}, order } = listing
  const first = request.sort_by !== undefined && Object.hasOwn(sorts, request.sort_by) ? [sorts[request.sort_by]!] : []
  const direction = request.reverse_sort ? desc : asc
  const terms = [...first, ...order].map(term => direction(term))
  const total = listing.total.where(listing.where).toSQL()
  const found = yield* one<{ n: number }>(total.sql, ...(total.params as SqlValue[]))
  // A caller that counts asks for limit 0 or 1; then the rows are not even looked for.
  if (request.limit === 0 || found === undefined || found.n <= request.offset) return { rows: [], total: found?.n ?? 0 }
  const page = listing.rows
    .where(listing.where)
    .orderBy(...terms)
    .limit(request.limit)
    .offset(request.offset)
    .toSQL()
  const rows = yield* all<Row>(page.sql, ...(page.params as SqlValue[]))
  return { rows, total: found.n }
}

/** Lists one table by id. Sorts by every column unless `sorts` says which. */
export function* listTable<T extends SQLiteTable & { id: SQLiteColumn }>(
  table: T,
  where: SQL | undefined,
  request: ListRequest,
  sorts: Sorts = getTableColumns(table) as Sorts,
): Unit<Page<InferSelectModel<T>>> {
  return yield* listPage<InferSelectModel<T>>(
    {
      rows: select.select().from(table).$dynamic(),
      total: select.select(counted).from(table).$dynamic(),
      where,
      sorts,
      order: [table.id],
    },
    request,
  )
}

/** Lists what a SELECT over several tables gives, filtered by itself; sorts by any of its columns. */
export function* listSelection<Row extends object>(
  selection: SQL,
  columns: readonly (keyof Row & string)[],
  order: readonly (keyof Row & string)[],
  request: ListRequest,
): Unit<Page<Row>> {
  const sorts = Object.fromEntries(columns.map(name => [name, sql`${sql.identifier(name)}`]))
  const source = sql`(${selection})`
  return yield* listPage<Row>(
    {
      rows: select.select(sorts).from(source).$dynamic(),
      total: select.select(counted).from(source).$dynamic(),
      where: undefined,
      sorts,
      order: order.map(name => sorts[name]!),
    },
    request,
  )
}

/** The column equals the value; no condition when the client gave none. */
export function equals(column: SQLiteColumn | SQL, value: string | number | undefined): SQL | undefined {
  return value === undefined ? undefined : sql`${column} = ${value}`
}

/** The column holds the text, whatever the case of ASCII letters; `%` and `_` mean themselves. */
export function contains(column: SQLiteColumn, text: string | undefined): SQL | undefined {
  return text === undefined ? undefined : sql`instr(lower(${column}), lower(${text})) > 0`
}
