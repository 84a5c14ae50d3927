import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { createWorkflow, type Origin } from '../db/create-workflow.ts'
import { migrate } from '../db/migrate.ts'
import { type Durability, openFile } from '../db/open-file.ts'
import { failOpenTasks } from '../db/tasks.ts'
import { healAfterStart } from '../db/tick.ts'
import type { Db } from '../db/unit.ts'
import { createApp } from './app.ts'
import type { ExpandedWorkflow } from './core/spec/types.ts'
import type { DialectOption } from './dialect.ts'
import { networkFileSystem } from './node/file-system.ts'
import { ownDatabasePath } from './node/foreign-database.ts'
import { closeServer, listen } from './node/listening.ts'
import { type Ownership, takeOwnership } from './node/ownership.ts'
import { makePrivateFolder, touchPrivateFile, writePrivateFile } from './node/private-file.ts'
import { StartError, startErrorOf } from './node/start-error.ts'
import { startTicking } from './node/ticking.ts'
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
  /** Creates a workflow that this very process has expanded and checked, without the wire's copies and checks; returns its id. */
  createWorkflow(workflow: ExpandedWorkflow, origin: Omit<Origin, 'now'>): Promise<number>
  /** Stops accepting, finishes what runs (at most 5 s), and leaves a whole database file behind. */
  close(): Promise<void>
}

/** Above the 65 s or so after which clients and proxies let go of an idle connection (platform.md 6). */
const KEEP_ALIVE_MS = 75_000

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
      createWorkflow: (workflow, origin) => createWorkflow(db, workflow, { ...origin, now: Date.now() }),
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

function writeInfo(path: string, server: { url: string; token: string; dbPath: string }): void {
  const startedAt = new Date().toISOString()
  writePrivateFile(path, `${JSON.stringify({ ...server, pid: process.pid, host: hostname(), startedAt })}\n`)
}
