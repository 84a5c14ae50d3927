/**
 * How queries are written once for every database. A query is a generator that yields statements and receives their rows;
 * a driver runs it: synchronously on a file, with round trips on a server. Statements yielded together travel together.
 */
export type SqlValue = string | number | bigint | null | Uint8Array

export type Statement = {
  sql: string
  args: readonly SqlValue[]
  /** Nobody looks at its rows: a server may be sent it later, in front of the next statement that somebody does look at. */
  blind?: true
  /** Its unit yields nothing more and cannot fail any more: a server may commit in the same trip. */
  last?: true
}

// biome-ignore lint/suspicious/noExplicitAny: rows become typed in all(), one(), where the statement is written
export type Rows = any[]

/** A piece of work on the database. Run inside one transaction by `Db.write`, so it is all or nothing. */
export type Unit<T> = Generator<readonly Statement[], T, Rows[]>

/** Runs one statement and returns its rows as objects named by column. */
export function* all<T>(sql: string, ...args: SqlValue[]): Unit<T[]> {
  const [rows] = yield [{ sql, args }]
  return rows as T[]
}

/** Runs one statement and returns its first row, or undefined when there is none. */
export function* one<T>(sql: string, ...args: SqlValue[]): Unit<T | undefined> {
  const [rows] = yield [{ sql, args }]
  return (rows as T[])[0]
}

/** Runs one statement for its effect. Count changed rows with RETURNING: drivers differ in what they count (platform.md 3.4). */
export function* run(sql: string, ...args: SqlValue[]): Unit<void> {
  yield [{ sql, args, blind: true }]
}

/** Runs several statements that need nothing of each other in one round trip; rows come back in their order. */
export function* together(statements: readonly Statement[]): Unit<Rows[]> {
  return yield statements
}

/**
 * What lets units that wait for the writer at the same time be done as one, which costs less than one after the other. Where transactions
 * are not shared it goes unused.
 */
export type Joint<T> = {
  /** Those with the same key may be joined. */
  key: string
  /** How much of a transaction it takes, in jobs. */
  size: number
  /**
   * Does what all of them would do, this one being the first, and gives their values in their order. When it throws, it is undone and each
   * unit runs by itself.
   */
  runAll(all: readonly Joint<T>[]): Unit<T[]>
}

export interface Db {
  /** Runs a unit that only reads. It takes no write lock. On a server, only statements yielded together see one and the same state. */
  read<T>(unit: () => Unit<T>): Promise<T>
  /**
   * Runs a unit in one write transaction: all or nothing. Units wait in one queue and may share a transaction, each keeping its
   * own outcome; one that throws is undone alone. The function may be called again when the database was busy, and not at all when `joint`
   * is done instead.
   */
  write<T>(unit: () => Unit<T>, joint?: Joint<T>): Promise<T>
  /** How many write transactions have begun, for tests and metrics. */
  readonly writeTransactions: number
  close(): Promise<void>
}
