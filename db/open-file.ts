import Database from 'libsql'
import type { Db, Joint, Rows, Statement, Unit } from './unit.ts'

export type Durability = 'process' | 'power'

export type FileOptions = {
  /** `process`: WAL with synchronous=NORMAL. `power`: synchronous=FULL, every commit is on the disk before it is acknowledged. */
  durability?: Durability
  /** The file lies on a network file system: one process takes it whole, without shared memory (design.md, Platforms). */
  exclusive?: boolean
}

/** Milliseconds to wait inside SQLite for a lock that another process holds. Short: waiting blocks the whole event loop. */
const BUSY_TIMEOUT_MS = 100
/** How often a write that found the database busy is tried again, with a pause of up to 50 ms in between. */
const BUSY_ATTEMPTS = 40
/** KiB of pages kept in memory. Small on purpose: with a large warm cache commits grow with the database (performance.md). */
const CACHE_KIB = 8192
/** Waiting writes that share one transaction end it after this long, so that the loop is never blocked for more than about 100 ms. */
const GROUP_MS = 40
/** Jobs of joined units, so that one of them is done within about the same time. */
const MOST_JOINED = 1_000

/** Whether it returns rows is asked once: the driver goes through SQLite for it. */
type Prepared = { statement: Database.Statement; returnsRows: boolean }

type Waiting = {
  unit: () => Unit<unknown>
  joint: Joint<unknown> | undefined
  resolve(value: unknown): void
  reject(error: unknown): void
}
type Outcome<T = unknown> = { ok: true; value: T } | { ok: false; error: unknown }

/**
 * Opens a libSQL file, creating it when it is missing. The driver owns one connection, keeps statements prepared, and runs
 * waiting writes together (group commit). Throws what libSQL throws when the file cannot be opened or is no database.
 */
export function openFile(path: string, options: FileOptions = {}): Db {
  let connection = connect(path, options)
  let prepared = new Map<string, Prepared>()
  let queue: Waiting[] = []
  let draining = false
  let closed = false
  let writeTransactions = 0

  function prepare(sql: string): Prepared {
    let found = prepared.get(sql)
    if (found === undefined) {
      const statement = opened().prepare(sql)
      found = { statement, returnsRows: statement.reader }
      prepared.set(sql, found)
    }
    return found
  }

  function execute({ sql, args }: Statement): Rows {
    const { statement, returnsRows } = prepare(sql)
    // As one list: a lone null would be taken for an object of named values.
    if (returnsRows) return statement.all(args)
    statement.run(args)
    return []
  }

  function finish<T>(unit: Unit<T>): T {
    let step = unit.next([])
    while (!step.done) {
      let rows: Rows[]
      try {
        rows = step.value.map(execute)
      } catch (error) {
        step = unit.throw(error)
        continue
      }
      step = unit.next(rows)
    }
    return step.value
  }

  /** A statement that ended in BUSY poisons its connection (platform.md 3.2): whoever comes next takes a fresh one. */
  function forsake(): void {
    prepared = new Map()
    connection.close()
  }

  /** Fails when there is none and none can be had now; the next call tries again. */
  function opened(): Database.Database {
    if (!connection.open && !closed) connection = connect(path, options)
    return connection
  }

  /** Runs a group of units in one transaction. A unit that throws is rolled back to its savepoint; the others stay. */
  function runGroup(group: readonly Waiting[]): Outcome[] {
    opened().exec('BEGIN IMMEDIATE')
    writeTransactions++
    const outcomes: Outcome[] = []
    try {
      const until = performance.now() + GROUP_MS
      let apart = 0
      while (outcomes.length < group.length) {
        const at = outcomes.length
        if (at > 0 && performance.now() > until) break
        const joints = at < apart ? [] : jointsFrom(group, at)
        if (joints.length > 1) {
          const joined = guarded(() => joints[0]!.runAll(joints))
          if (joined.ok) for (const value of joined.value) outcomes.push({ ok: true, value })
          else apart = at + joints.length
          continue
        }
        const { unit } = group[at]!
        outcomes.push(group.length === 1 ? { ok: true, value: finish(unit()) } : guarded(unit))
      }
      connection.exec('COMMIT')
    } catch (error) {
      if (connection.inTransaction) connection.exec('ROLLBACK')
      throw error
    }
    return outcomes
  }

  function guarded<T>(unit: () => Unit<T>): Outcome<T> {
    connection.exec('SAVEPOINT unit')
    try {
      const value = finish(unit())
      connection.exec('RELEASE unit')
      return { ok: true, value }
    } catch (error) {
      // A full disk or an I/O error has already ended the transaction: then the whole group fails.
      if (!connection.inTransaction) throw error
      connection.exec('ROLLBACK TO unit')
      connection.exec('RELEASE unit')
      return { ok: false, error }
    }
  }

  async function drain(): Promise<void> {
    let attempts = 0
    while (queue.length > 0) {
      const group = queue
      try {
        const outcomes = runGroup(group)
        queue = queue.slice(outcomes.length)
        attempts = 0
        outcomes.forEach((outcome, index) => {
          const waiting = group[index]!
          if (outcome.ok) waiting.resolve(outcome.value)
          else waiting.reject(outcome.error)
        })
        if (queue.length > 0) await nextTurn()
      } catch (error) {
        if (isBusy(error) && ++attempts < BUSY_ATTEMPTS) {
          forsake()
          await pause(10 + 40 * (attempts / BUSY_ATTEMPTS))
          continue
        }
        attempts = 0
        queue = queue.slice(group.length)
        for (const waiting of group) waiting.reject(error)
      }
    }
    draining = false
  }

  return {
    get writeTransactions() {
      return writeTransactions
    },
    async read(unit) {
      return finish(unit())
    },
    write<T>(unit: () => Unit<T>, joint?: Joint<T>): Promise<T> {
      if (closed) return Promise.reject(new Error('Cannot write as the database is closed'))
      return new Promise<T>((resolve, reject) => {
        queue.push({
          unit,
          joint: joint as Joint<unknown> | undefined,
          resolve: resolve as (value: unknown) => void,
          reject,
        })
        if (draining) return
        draining = true
        // Requests that arrive in one turn of the loop share the transaction.
        setImmediate(() => void drain())
      })
    },
    async close() {
      closed = true
      while (draining) await nextTurn()
      if (!connection.open) return
      try {
        connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      } catch {
        // Nothing is lost, as on a full disk: what was written stays in the log beside the file.
      } finally {
        connection.close()
      }
    },
  }
}

/** The joints of those in a row that can be done as one, from a place on. */
function jointsFrom(group: readonly Waiting[], at: number): Joint<unknown>[] {
  const joints: Joint<unknown>[] = []
  const key = group[at]!.joint?.key
  let size = 0
  for (let k = at; k < group.length; k++) {
    const { joint } = group[k]!
    if (joint === undefined || joint.key !== key) break
    size += joint.size
    if (size > MOST_JOINED && joints.length > 0) break
    joints.push(joint)
  }
  return joints
}

function connect(path: string, { durability = 'process', exclusive = false }: FileOptions): Database.Database {
  const connection = new Database(path, { timeout: BUSY_TIMEOUT_MS } as Database.Options)
  // Before WAL: with it SQLite then needs no shared memory, which network file systems do not have.
  if (exclusive) connection.exec('PRAGMA locking_mode=EXCLUSIVE')
  connection.exec('PRAGMA journal_mode=WAL')
  connection.exec(`PRAGMA synchronous=${durability === 'power' ? 'FULL' : 'NORMAL'}`)
  connection.exec(`PRAGMA cache_size=-${CACHE_KIB}`)
  connection.exec('PRAGMA foreign_keys=ON')
  connection.exec('PRAGMA temp_store=MEMORY')
  return connection
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY')

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
