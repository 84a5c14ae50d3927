import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { migrate, NewerDatabase } from '../db/migrate.ts'
import { type Durability, openFile } from '../db/open-file.ts'
import { failOpenTasks } from '../db/tasks.ts'
import { healAfterStart, tick } from '../db/tick.ts'
import type { Db } from '../db/unit.ts'
import { createApp } from './app.ts'
import type { DialectOption } from './dialect.ts'
import { networkFileSystem } from './node/file-system.ts'
import { ownDatabasePath } from './node/foreign-database.ts'
import { type Ownership, takeOwnership } from './node/ownership.ts'
import { makePrivateFolder, touchPrivateFile, writePrivateFile } from './node/private-file.ts'
import { codeOf, StartError } from './node/start-error.ts'
import { isLoopback, trustsOwnUser } from './node/trust.ts'

export { StartError } from './node/start-error.ts'

export type ServerOptions = {
  dbPath: string
  /** 127.0.0.1 unless given; any other than loopback needs a token. */
  host?: string
  /** 0: any free one. */
  port?: number
  durability: Durability
  /** What callers have to show. On loopback one is made up when none is given; our own user does without. */
  token?: string
  /** Where other commands of this user find the server: its address and its token. */
  infoPath?: string
  version?: string
  dialect?: DialectOption
  /** Takes one line: notices and faults. */
  log: (line: string) => void
}

export type RunningServer = {
  url: string
  port: number
  token: string
  app: ReturnType<typeof createApp>
  db: Db
  /** Stops accepting, finishes what runs (at most 5 s), and leaves a whole database file behind. */
  close(): Promise<void>
}

/** Above the 65 s or so after which clients and proxies let go of an idle connection (platform.md 6). */
const KEEP_ALIVE_MS = 75_000
/** How often what nobody asks for is done: rescue of lapsed leases, left-over pieces. */
const TICK_MS = 5_000
/** How long requests may take to end when the server stops. */
const CLOSE_MS = 5_000
/** How often a stopping server looks for connections that have nothing more to do. */
const IDLE_LOOK_MS = 20

/**
 * Opens the database file and serves the API over it until `close`. The process owns the file meanwhile. Throws StartError, with a line
 * that says what to do, when the file or the address cannot be had; then it has let go of both.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 0, version = '0', log } = options
  const loopback = isLoopback(host)
  if (!loopback && !options.token) {
    throw new StartError(
      `Cannot listen on ${host} without a token as anybody could run commands here: give one, or listen on 127.0.0.1`,
    )
  }
  // An empty token would let in everybody who sends an empty password.
  const token = options.token || randomBytes(32).toString('base64url')
  const named = resolve(options.dbPath)
  const dbPath = ownDatabasePath(named)
  if (dbPath !== named) log(`Another program keeps its data in ${named}: ours goes to ${dbPath}`)
  const { ownership, db } = await openOwned(dbPath, options)
  let server: Server | undefined
  try {
    const stopping = new AbortController()
    const app = createApp({
      db,
      stopping: stopping.signal,
      version,
      dialect: options.dialect,
      access: { token, trusts: loopback ? trustsOwnUser() : undefined },
      onFault: (error, span) =>
        log(`Fault in request ${span}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    })
    const listening = createAdaptorServer({ fetch: app.fetch }) as Server
    server = listening
    listening.keepAliveTimeout = KEEP_ALIVE_MS
    const address = await listen(listening, host, port)
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
    ownership.announce(url)
    if (options.infoPath !== undefined) writeInfo(options.infoPath, { url, token, dbPath })
    const stopTicking = startTicking(db, log)
    return {
      url,
      port: address.port,
      token,
      app,
      db,
      async close() {
        stopping.abort()
        await stopTicking()
        await closeServer(listening)
        if (options.infoPath !== undefined) rmSync(options.infoPath, { force: true })
        await db.close()
        ownership.release()
      },
    }
  } catch (error) {
    server?.close()
    await db.close()
    ownership.release()
    throw startErrorOf(error, options.infoPath ?? dbPath)
  }
}

async function openOwned(
  dbPath: string,
  { durability, log }: ServerOptions,
): Promise<{ ownership: Ownership; db: Db }> {
  const folder = dirname(dbPath)
  let ownership: Ownership | undefined
  let db: Db | undefined
  try {
    makePrivateFolder(folder)
    const network = networkFileSystem(folder)
    if (network !== undefined)
      log(`The database lies on ${network}: this process takes it whole. A local disk is faster: --db PATH`)
    ownership = takeOwnership(dbPath)
    touchPrivateFile(dbPath)
    db = openFile(dbPath, { durability, exclusive: network !== undefined })
    await db.write(() => migrate(Date.now()))
    await healAfterStart(db, Date.now())
    await db.write(() => failOpenTasks(Date.now()))
    return { ownership, db }
  } catch (error) {
    await db?.close()
    ownership?.release()
    throw startErrorOf(error, dbPath)
  }
}

function startErrorOf(error: unknown, dbPath: string): unknown {
  if (error instanceof StartError) return error
  if (error instanceof NewerDatabase) return new StartError(error.message)
  const folder = dirname(dbPath)
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'SQLITE_READONLY':
    case 'SQLITE_CANTOPEN':
      return new StartError(
        `Cannot write in ${folder} as this user may not: change its rights, or name another file with --db PATH`,
      )
    case 'ENOSPC':
    case 'EDQUOT':
    case 'SQLITE_FULL':
      return new StartError(
        `Cannot write in ${folder} as its disk is full: make room, or name another file with --db PATH`,
      )
    case 'ENOTDIR':
    case 'EEXIST':
      return new StartError(`Cannot use ${folder} as it is no folder: name another file with --db PATH`)
    case 'EISDIR':
      return new StartError(`Cannot use ${dbPath} as it is a folder: name a file with --db PATH`)
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return new StartError(
        `Cannot use ${dbPath} as it is no database, or a damaged one: name another file with --db PATH`,
      )
    default:
      return error
  }
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(listenError(error, host, port)))
    server.listen(port, host, () => resolve(server.address() as AddressInfo))
  })
}

function listenError(error: Error, host: string, port: number): Error {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartError(
        `Cannot listen on ${host}:${port} as another program does: choose another port, or 0 for any free one`,
      )
    case 'EACCES':
      return new StartError(`Cannot listen on port ${port} as this user may not: choose one above 1023`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`Cannot listen on ${host} as this machine has no such address`)
    default:
      return error
  }
}

function writeInfo(path: string, server: { url: string; token: string; dbPath: string }): void {
  const startedAt = new Date().toISOString()
  writePrivateFile(path, `${JSON.stringify({ ...server, pid: process.pid, host: hostname(), startedAt })}\n`)
}

/** Runs tick again and again, never two at once; the function it gives stops that and waits for the last one. */
function startTicking(db: Db, log: (line: string) => void): () => Promise<void> {
  let current: Promise<void> = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (!idle) return
    idle = false
    current = tick(db, Date.now())
      .catch((error: unknown) => log(`Cannot tick: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => {
        idle = true
      })
  }, TICK_MS)
  // The server keeps the process alive, not its clock.
  timer.unref()
  return () => {
    clearInterval(timer)
    return current
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  // A connection kept alive becomes idle when its last request ends, which may be after the first look.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS)
  const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  await closed
  clearInterval(idle)
  clearTimeout(deadline)
}
