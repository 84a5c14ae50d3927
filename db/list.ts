import { and, asc, count, desc, getTableColumns, type InferSelectModel, type SQL, sql } from 'drizzle-orm'
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
  /** Go on behind this row instead of at an offset. */
  keyset?: KeysetRequest
}

/**
 * A page that begins behind a row: it costs the same wherever it lies, while an offset reads all that it skips. `after` holds the key of
 * that row; its last parts may be missing, then the page begins behind all rows that share the others. Empty: at the beginning.
 */
export type KeysetRequest = { after: readonly number[]; count: boolean }

/** The key of a list: names of row fields that hold integers (null counts as 0) and what orders by them. Unique, and led by an indexed one. */
type Key = readonly { name: string; by: Sortable }[]

export type Listing = {
  /** The query for the rows, and the same for their number (`counted`). */
  rows: Query
  total: Query
  where: SQL | undefined
  /** What a client may sort by. */
  sorts?: Sorts
  /** The order when none is asked for; it also breaks ties. */
  order: readonly Sortable[]
  key: Key
}

/** The column that `Listing.total` selects. */
export const counted = { n: count().as('n') }

export type Page<Row> = {
  rows: Row[]
  /** How many match in all; 0 on a keyset page that does not count. */
  total: number
  keyset?: KeysetPage
}

/** `next` is the key to go on behind; null on the last page. */
export type KeysetPage = { next: readonly number[] | null; counted: boolean }

/** Runs a list: one page of rows in the order asked for, and how many there are in all. */
export function* listPage<Row>(listing: Listing, request: ListRequest): Unit<Page<Row>> {
  if (request.keyset !== undefined) return yield* keysetPage(listing, request, request.keyset)
  const { sorts = {}, order } = listing
  const first = request.sort_by !== undefined && Object.hasOwn(sorts, request.sort_by) ? [sorts[request.sort_by]!] : []
  const direction = request.reverse_sort ? desc : asc
  const terms = [...first, ...order].map(term => direction(term))
  const total = yield* countAll(listing)
  // A caller that counts asks for limit 0 or 1; then the rows are not even looked for.
  if (request.limit === 0 || total <= request.offset) return { rows: [], total }
  const page = listing.rows
    .where(listing.where)
    .orderBy(...terms)
    .limit(request.limit)
    .offset(request.offset)
  return { rows: yield* allOf<Row>(page), total }
}

function* countAll({ total, where }: Listing): Unit<number> {
  const { sql: text, params } = total.where(where).toSQL()
  const found = yield* one<{ n: number }>(text, ...(params as SqlValue[]))
  return found?.n ?? 0
}

function* allOf<Row>(query: Query): Unit<Row[]> {
  const { sql: text, params } = query.toSQL()
  return yield* all<Row>(text, ...(params as SqlValue[]))
}

function* keysetPage<Row>(listing: Listing, request: ListRequest, keyset: KeysetRequest): Unit<Page<Row>> {
  const { limit, reverse_sort: reverse = false } = request
  const { key } = listing
  // Counted first: the query for the rows carries the place where the page begins.
  const total = keyset.count ? yield* countAll(listing) : 0
  const direction = reverse ? desc : asc
  const found = yield* allOf<Row>(
    listing.rows
      .where(and(listing.where, behind(key, keyset.after, reverse)))
      .orderBy(...key.map(({ by }) => direction(by)))
      // One more than asked for tells whether the list goes on.
      .limit(limit + 1)
      .offset(0),
  )
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  const goesOn = found.length > limit && last !== undefined
  const next = goesOn ? key.map(({ name }) => Number((last as Record<string, unknown>)[name] ?? 0)) : null
  return { rows, total, keyset: { next, counted: keyset.count } }
}

/** The condition that a row comes after a key. The leading part stands alone, so that an index finds the place. */
function behind(key: Key, after: readonly number[], reverse: boolean): SQL | undefined {
  const [first, ...rest] = key.slice(0, after.length).map(({ by }, at) => ({ by, value: after[at]! }))
  if (first === undefined) return undefined
  const than = sql.raw(reverse ? '<' : '>')
  if (rest.length === 0) return sql`${first.by} ${than} ${first.value}`
  const columns = sql.join([sql`${first.by}`, ...rest.map(({ by }) => sql`ifnull(${by}, 0)`)], sql`, `)
  const values = sql.join(
    [first, ...rest].map(({ value }) => sql`${value}`),
    sql`, `,
  )
  return sql`${first.by} ${than}= ${first.value} AND (${columns}) ${than} (${values})`
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
      key: [{ name: 'id', by: table.id }],
    },
    request,
  )
}

/**
 * Lists what a SELECT over several tables gives, filtered by itself; sorts by any of its columns. `order` names integers that together
 * tell its rows apart; a text that holds one is named in `texts`.
 */
export function* listSelection<Row extends object>(
  selection: SQL,
  columns: readonly (keyof Row & string)[],
  order: readonly (keyof Row & string)[],
  request: ListRequest,
  texts: readonly (keyof Row & string)[] = [],
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
      key: order.map(name => ({
        name,
        by: texts.includes(name) ? sql`CAST(${sorts[name]!} AS INTEGER)` : sorts[name]!,
      })),
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
