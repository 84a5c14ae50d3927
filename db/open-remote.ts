import {
  type Answer,
  closeStream,
  type Remote,
  RemoteError,
  type Stream,
  sendStatements,
  UNREACHABLE,
} from './hrana.ts'
import { type Turns, turnsByLooking, turnsInChain } from './turns.ts'
import type { Db, Rows, Statement, Unit } from './unit.ts'
import { findReceipt, leaveReceipt } from './write-receipts.ts'

export type RemoteOptions = {
  /** libsql://, https:// or http://. */
  url: string
  token?: string
  /** Which of the server's databases, where it has several. */
  namespace?: string
  /** Milliseconds until one call is given up. Above the 5 s after which the server ends a transaction that others wait for. */
  timeoutMs?: number
  /**
   * Lets one write of this program after the other go to the server. Where many wait for its lock, sqld 0.24 takes seconds to pass it on
   * from one that has gone away, refuses them in crowds, and on a slow disk may never pass it on again (docs/deploy.md).
   */
  queue?: boolean
  /** No write may wait for a promise of another one: Workers (platform.md 5.2). */
  requestsApart?: boolean
}

const TIMEOUT_MS = 10_000
/** How often a call is tried that the server did not answer. */
const ATTEMPTS = 4
/** The same for one whose transaction the server has ended: it is there, and others are quicker. */
const ATTEMPTS_UNDONE = 8
/** Nothing is begun again so long after its beginning: runners wait half a minute for an answer, the last call's time included. */
const PATIENCE_MS = 15_000
/** Telling a server that a conversation is over is worth no more: it finds out by itself. */
const CLOSE_TIMEOUT_MS = 1_000
/** Pause before the second attempt, doubling up to the longest; up to half as much again at random, so that instances do not meet again. */
const PAUSE_MS = 50
const LONGEST_PAUSE_MS = 500

/** How long a conversation is kept for the next read, well below the 10 s after which the server forgets it; and how many are. */
const KEPT_MS = 5_000
const KEPT_MOST = 8

/** What ends a transaction before its commit: nothing has happened, and the unit may simply run again. */
const UNDONE = ['TRANSACTION_TIMEOUT', 'STREAM_EXPIRED', 'SQLITE_BUSY', 'SQLITE_LOCKED']

const BEGIN: Statement = { sql: 'BEGIN IMMEDIATE', args: [] }
const BEGIN_SNAPSHOT: Statement = { sql: 'BEGIN', args: [] }
const COMMIT: Statement = { sql: 'COMMIT', args: [] }

export const isRemoteUrl = (text: string): boolean => /^(libsql|https?):\/\//.test(text)

/**
 * Opens a database at a libSQL server (sqld, Turso). It keeps no connection: nothing is asked before the first unit.
 *
 * A write unit runs in one transaction: it begins with the unit's first statements and ends with its last ones, in the same round trips.
 * Statements that nobody reads the rows of travel with the next ones. Each commit leaves a receipt; when the answer to a commit is
 * lost, the next attempt takes the lock and looks for the receipt, so that a write happens exactly once.
 *
 * A read unit has no transaction: statements yielded together see one state, those yielded after each other may not.
 */
export function openRemote(options: RemoteOptions): RemoteDb {
  const { url, token, namespace, timeoutMs = TIMEOUT_MS, queue = false, requestsApart = false } = options
  const remote: Remote = { url: httpUrl(url), token, namespace, timeoutMs }
  const closing: Remote = { ...remote, timeoutMs: Math.min(timeoutMs, CLOSE_TIMEOUT_MS) }
  const turns: Turns | undefined = queue ? (requestsApart ? turnsByLooking() : turnsInChain()) : undefined
  let writeTransactions = 0
  let roundTrips = 0
  /** Whether the last write that is over got no answer. */
  let isSilent = false

  const line: Line = {
    async send(stream, statements, closing) {
      roundTrips++
      return sendStatements(remote, stream, statements, closing)
    },
    close: stream => closeStream(closing, stream).catch(() => undefined),
  }

  const kept = keptStreams(line.close)

  async function read<T>(unit: Unit<T>): Promise<T> {
    const until = Date.now() + PATIENCE_MS
    let step = unit.next([])
    while (!step.done) {
      const group = step.value
      const answer = await settled(repeated(() => readTogether(group), until))
      step = answer.ok ? unit.next(answer.value) : unit.throw(answer.error)
    }
    return step.value
  }

  async function readTogether(group: readonly Statement[]): Promise<Rows[]> {
    const alone = group.length === 1
    const statements = alone ? group : [BEGIN_SNAPSHOT, ...group, COMMIT]
    const { rows, failed, stream } = await kept.use((stream, last) => line.send(stream, statements, last))
    if (failed === undefined) return alone ? rows : rows.slice(1, -1)
    // Its transaction is still open.
    if (!alone && stream !== undefined) await line.close(stream)
    throw failed
  }

  async function write<T>(unit: () => Unit<T>, until: number): Promise<T> {
    const id = crypto.randomUUID()
    let unconfirmed: Ending<T> | undefined
    const attempt = async (): Promise<T> => {
      const transaction = new Transaction(line)
      writeTransactions++
      try {
        if (unconfirmed !== undefined) {
          const [receipt, ...rows] = await transaction.run([findReceipt(id), ...unconfirmed.reads])
          if (receipt!.length > 0) {
            await transaction.undo()
            return unconfirmed.value(rows)
          }
        }
        unconfirmed = await runToEnding(unit(), transaction)
        const rows = await transaction.commit(unconfirmed.reads, leaveReceipt(id))
        return unconfirmed.value(rows)
      } catch (error) {
        await transaction.undo()
        throw error
      }
    }
    try {
      const value = await repeated(attempt, until)
      isSilent = false
      return value
    } catch (error) {
      isSilent = isUnanswered(error)
      throw error
    }
  }

  async function writeInTurn<T>(unit: () => Unit<T>): Promise<T> {
    const until = Date.now() + PATIENCE_MS
    const end = await turns?.take()
    try {
      // Each of a line would wait for the same silence again, long after its caller has gone.
      if (isSilent && Date.now() > until)
        throw new RemoteError(UNREACHABLE, 'The database server did not answer the writes before this one')
      return await write(unit, until)
    } finally {
      end?.()
    }
  }

  return {
    get writeTransactions() {
      return writeTransactions
    },
    get roundTrips() {
      return roundTrips
    },
    read: unit => read(unit()),
    write: writeInTurn,
    async close() {
      const end = await turns?.take()
      end?.()
      await kept.close()
    },
  }
}

/**
 * Conversations in which reads have ended, for the next reads: the server opens the database for each new one, which takes it longer than
 * most reads. It forgets them some seconds after their last use.
 */
function keptStreams(close: Line['close']) {
  let idle: { stream: NonNullable<Stream>; since: number }[] = []
  let inUse = 0

  function take(): Stream {
    const newest = idle.pop()
    if (newest !== undefined && Date.now() - newest.since < KEPT_MS) return newest.stream
    idle = []
    return undefined
  }

  return {
    /** Sends in one that is kept, else in a new one; that is the `last` which the server hears of it when enough are kept. */
    async use(send: (stream: Stream, last: boolean) => Promise<Answer>): Promise<Answer> {
      const kept = take()
      if (kept === undefined && inUse >= KEPT_MOST) return send(undefined, true)
      inUse++
      try {
        const answer = await send(kept, false).catch((error: unknown) => {
          idle = []
          if (kept === undefined || isUnanswered(error)) throw error
          // One that restarted knows none of them, and says so in words of its own.
          return send(undefined, false)
        })
        if (answer.stream !== undefined && answer.failed === undefined)
          idle.push({ stream: answer.stream, since: Date.now() })
        return answer
      } finally {
        inUse--
      }
    },
    async close(): Promise<void> {
      await Promise.all(idle.splice(0).map(({ stream }) => close(stream)))
    },
  }
}

export type RemoteDb = Db & {
  /** How many requests have gone to the server, for tests. */
  readonly roundTrips: number
}

/** The way to the server, as a transaction uses it. Telling it that a conversation is over may fail: it finds out by itself. */
type Line = {
  send(stream: Stream, statements: readonly Statement[], closing: boolean): Promise<Answer>
  close(stream: NonNullable<Stream>): Promise<void>
}

/** One write transaction, from the statements that begin it to those that end it. */
class Transaction {
  readonly #line: Line
  #stream: Stream
  /** Statements whose rows nobody looks at, on their way with the next ones. */
  #waiting: Statement[] = [BEGIN]

  constructor(line: Line) {
    this.#line = line
  }

  async run(group: readonly Statement[]): Promise<Rows[]> {
    if (group.every(statement => statement.blind)) {
      this.#waiting.push(...group)
      return group.map(() => [])
    }
    const before = this.#waiting
    this.#waiting = []
    const rows = await this.#send([...before, ...group], false)
    return rows.slice(before.length)
  }

  async commit(reads: readonly Statement[], receipt: Statement): Promise<Rows[]> {
    const before = this.#waiting
    const rows = await this.#send([...before, ...reads, receipt, COMMIT], true)
    return rows.slice(before.length, -2)
  }

  /** Ends it without a trace, unless it has ended. */
  async undo(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    if (stream !== undefined) await this.#line.close(stream)
  }

  async #send(statements: readonly Statement[], closing: boolean): Promise<Rows[]> {
    const { rows, failed, stream } = await this.#line.send(this.#stream, statements, closing)
    this.#stream = stream
    if (failed !== undefined) throw failed
    return rows
  }
}

/** Where a unit only needs its transaction committed: reads that travel with the commit, and the unit's value from their rows. */
type Ending<T> = { reads: readonly Statement[]; value(rows: Rows[]): T }

async function runToEnding<T>(unit: Unit<T>, transaction: Transaction): Promise<Ending<T>> {
  let step = unit.next([])
  while (!step.done) {
    const group = step.value
    if (group.some(statement => statement.last)) return { reads: group, value: rows => ended(unit.next(rows)) }
    const answer = await settled(transaction.run(group))
    step = answer.ok ? unit.next(answer.value) : unit.throw(answer.error)
  }
  const { value } = step
  return { reads: [], value: () => value }
}

function ended<T>(step: IteratorResult<readonly Statement[], T>): T {
  if (step.done) return step.value
  throw new Error('Cannot go on in a transaction that is committed: a statement that was said to be the last was not')
}

type Settled<T> = { ok: true; value: T } | { ok: false; error: unknown }

const settled = <T>(promise: Promise<T>): Promise<Settled<T>> =>
  promise.then(
    value => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  )

/** Tries again what passes by itself, until that moment. What is called must be safe to repeat. */
async function repeated<T>(call: () => Promise<T>, until: number): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt >= attemptsFor(error) || Date.now() > until) throw error
      await pause(Math.min(PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * (1 + Math.random() / 2))
    }
  }
}

function attemptsFor(error: unknown): number {
  if (isUnanswered(error)) return ATTEMPTS
  const isUndone = error instanceof RemoteError && UNDONE.some(code => error.code.startsWith(code))
  return isUndone ? ATTEMPTS_UNDONE : 1
}

const isUnanswered = (error: unknown): boolean => error instanceof RemoteError && error.code === UNREACHABLE

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

export function httpUrl(url: string): string {
  return url.replace(/^libsql:/, 'https:').replace(/\/+$/, '')
}
