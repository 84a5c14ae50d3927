import { setMaxListeners } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { createWorkflow, type Origin } from '../db/create-workflow.ts'
import { migrate } from '../db/migrate.ts'
import { type Durability, openFile } from '../db/open-file.ts'
import { isRemoteUrl } from '../db/open-remote.ts'
import { failOpenTasks } from '../db/tasks.ts'
import { healAfterStart } from '../db/tick.ts'
import type { Db } from '../db/unit.ts'
import type { createApp } from './app.ts'
import { check } from './body.ts'
import type { Limits } from './context.ts'
import { batchSchema } from './contract/completion.ts'
import type { ExpandedWorkflow } from './core/spec/types.ts'
import type { DialectOption } from './dialect.ts'
import { withFairLeases } from './fair-leases.ts'
import { checkServerAccess, type OpenedAccess, openAccess, type ServerAccess } from './node/access.ts'
import { countRequests } from './node/count-requests.ts'
import { openServerDatabase, readDatabaseToken, type ServerPlace } from './node/database-server.ts'
import { networkFileSystem } from './node/file-system.ts'
import { ownDatabasePath } from './node/foreign-database.ts'
import { createJsonLog } from './node/json-log.ts'
import { closeServer, listen } from './node/listening.ts'
import { keepOlder } from './node/maintenance/keep-older.ts'
import { NO_OWNERSHIP, type Ownership, takeOwnership } from './node/ownership.ts'
import { connectionOptions, limitPatience, type Patience } from './node/patience.ts'
import { peerAddress } from './node/peer-address.ts'
import { makePrivateFolder, touchPrivateFile, writePrivateFile } from './node/private-file.ts'
import { databaseAdmin, type ProjectDatabases } from './node/projects/database-admin.ts'
import { HOME_NAMESPACE } from './node/projects/namespace.ts'
import { serveAlone, serveProjects } from './node/projects/serve-projects.ts'
import { StartError, startErrorOf } from './node/start-error.ts'
import { readTls, type TlsFiles } from './node/tls.ts'
import { newToken, tokenFromFile } from './node/token-file.ts'
import { isLoopback, trustsOwnUser } from './node/trust.ts'
import { lookAfter } from './node/upkeep.ts'
import { type Answer, answer } from './refusal.ts'
import { createRequestStats } from './request-stats.ts'
import { exchange } from './routes/exchange.ts'
import type { WebhookPolicy } from './webhooks/policy.ts'

export { StartError } from './node/start-error.ts'

export type ServerOptions = {
  /** The database file, `:memory:` for one that is gone when the server closes, or the address of a libSQL server. */
  dbPath: string
  /** What that server wants to see, or a file with it. */
  dbToken?: string
  dbTokenPath?: string
  /** Gives each project a database of its own at that server. */
  databasePerProject?: ProjectDatabases
  /** 127.0.0.1 unless given; any other than loopback needs a token or a password file. */
  host?: string
  /** 0: any free one. */
  port?: number
  durability: Durability
  /** What callers have to show. On loopback one is made up when none is given; our own user does without. */
  token?: string
  /** A private file with that token, for when `token` is not given; made when it is missing. */
  tokenPath?: string
  access?: ServerAccess
  /** Where other commands of this user find the server: its address and its token. */
  infoPath?: string
  /** Where webhooks may point; without it none is delivered. */
  webhooks?: WebhookPolicy
  /** Workflows that have been over for so many milliseconds are removed; never unless given. */
  retentionMs?: number
  version?: string
  dialect?: DialectOption
  limits?: Partial<Limits>
  /** Certificate and key, as PEM files: then the server speaks HTTPS. */
  tls?: TlsFiles
  /** Addresses of proxies whose word on where a request comes from is believed. */
  trustedProxies?: readonly string[]
  patience?: Patience
  /** Takes whole lines: everything is then said in lines of JSON, each request too, and `log` hears nothing. */
  jsonLog?: (line: string) => void
  /** Takes one line: notices and faults. */
  log: (line: string) => void
}

export type RunningServer = {
  url: string
  port: number
  token: string
  app: ReturnType<typeof createApp>
  db: Db
  /** Creates a workflow that this very process has expanded and checked, without the wire's copies and checks; returns its id. Its groups are left out. */
  createWorkflow(workflow: ExpandedWorkflow, origin: Omit<Origin, 'now'>): Promise<number>
  /** `batch_complete_jobs` for a caller in this process, without the wire's copies. Never rejects. */
  exchange(workflowId: number, body: unknown): Promise<Answer>
  /** Stops accepting, finishes what runs (at most 5 s), and leaves a whole database file behind. */
  close(): Promise<void>
}

/** SQLite's own name for a database without a file. */
const IN_MEMORY = ':memory:'

/**
 * Opens the database file and serves the API over it until `close`. The process owns the file meanwhile. Throws StartError, with a line
 * that says what to do, when the file or the address cannot be had; then it has let go of both.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 0, version = '0', jsonLog } = options
  const { log, logRequest } =
    jsonLog === undefined ? { log: options.log, logRequest: undefined } : createJsonLog(jsonLog)
  const loopback = isLoopback(host)
  const logFault = (error: unknown, span: string): void =>
    log(`Fault in request ${span}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const { access = {} } = options
  checkServerAccess(access)
  if (options.databasePerProject !== undefined && !isRemoteUrl(options.dbPath))
    throw new StartError(
      'Cannot give each project a database as a file holds one: name a libSQL server that has namespaces with --db',
    )
  const tls = options.tls && readTls(options.tls)
  if (!loopback && !options.token && options.tokenPath === undefined && access.authFile === undefined) {
    throw new StartError(
      `Cannot listen on ${host} without a token as anybody could run commands here: give one, or a password file, or listen on 127.0.0.1`,
    )
  }
  // An empty token would let in everybody who sends an empty password.
  const token = options.token || (options.tokenPath === undefined ? newToken() : tokenFromFile(options.tokenPath))
  const dbPath = hasFile(options.dbPath) ? ownFile(options.dbPath, log) : options.dbPath
  const { ownership, db } = await openOwned(dbPath, { ...options, log })
  let server: Server | undefined
  let opened: OpenedAccess | undefined
  try {
    opened = await openAccess(access, { db, dbPath, log })
    const { options: rules, close: closeAccess } = opened
    const stopping = new AbortController()
    // Every stream and every project's app listens: many are no leak.
    setMaxListeners(0, stopping.signal)
    const stats = createRequestStats(Date.now)
    const shared = {
      stopping: stopping.signal,
      version,
      stats,
      webhooks: options.webhooks,
      dialect: options.dialect,
      limits: options.limits,
      access: { ...rules, token, trusts: loopback ? trustsOwnUser() : undefined },
      addressOf: peerAddress(options.trustedProxies),
      isEncrypted: tls !== undefined,
      logRequest,
      onFault: logFault,
    }
    const upkeep = { log, retentionMs: options.retentionMs, webhooks: options.webhooks }
    const { app, fetch, ...apps } =
      options.databasePerProject === undefined
        ? serveAlone({ ...shared, db })
        : serveProjects({
            home: { ...shared, db },
            place: serverPlace(options),
            admin: databaseAdmin(options.databasePerProject),
            adminUsers: access.adminUsers,
            upkeep,
          })
    const listening = createAdaptorServer({
      fetch,
      ...(tls && { createServer: createTlsServer }),
      serverOptions: { ...connectionOptions(options.patience), ...tls },
    }) as Server
    server = listening
    countRequests(listening, stats)
    limitPatience(listening, options.patience)
    const address = await listen(listening, host, port)
    const scheme = tls === undefined ? 'http' : 'https'
    const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
    ownership.announce(url)
    if (options.infoPath !== undefined) writeInfo(options.infoPath, { url, token, dbPath })
    const stopUpkeep = lookAfter(db, upkeep)
    return {
      url,
      port: address.port,
      token,
      app,
      db,
      async createWorkflow(workflow, origin) {
        try {
          return await createWorkflow(db, workflow, { ...origin, now: Date.now() })
        } catch (error) {
          throw startErrorOf(error, dbPath)
        }
      },
      exchange: (workflowId, body) =>
        answer(
          async () => exchange({ db, clock: Date.now }, workflowId, check(batchSchema, body)),
          error => logFault(error, 'of this process'),
        ),
      async close() {
        stopping.abort()
        await stopUpkeep()
        await closeServer(listening)
        await apps.close()
        await closeAccess()
        if (options.infoPath !== undefined) removeInfo(options.infoPath, url)
        await db.close()
        ownership.release()
      },
    }
  } catch (error) {
    server?.close()
    await opened?.close()
    await db.close()
    ownership.release()
    throw startErrorOf(error, options.infoPath ?? dbPath)
  }
}

const hasFile = (dbPath: string): boolean => dbPath !== IN_MEMORY && !isRemoteUrl(dbPath)

/** The absolute path our data goes to for the one that was named. */
function ownFile(named: string, log: ServerOptions['log']): string {
  const path = resolve(named)
  const own = ownDatabasePath(path)
  if (own !== path) log(`Another program keeps its data in ${path}: ours goes to ${own}`)
  return own
}

/** The database at a server that is ours whether or not projects have others. Throws StartError. */
function serverPlace({ dbPath, dbToken, dbTokenPath, databasePerProject }: ServerOptions): ServerPlace {
  return {
    url: dbPath,
    token: dbTokenPath === undefined ? dbToken : readDatabaseToken(dbTokenPath),
    namespace: databasePerProject && HOME_NAMESPACE,
  }
}

async function openOwned(dbPath: string, options: ServerOptions): Promise<{ ownership: Ownership; db: Db }> {
  const { durability, log } = options
  if (isRemoteUrl(dbPath)) return { ownership: NO_OWNERSHIP, db: await openServerDatabase(serverPlace(options)) }
  let ownership: Ownership | undefined
  let db: Db | undefined
  try {
    if (dbPath === IN_MEMORY) {
      ownership = NO_OWNERSHIP
      db = openFile(IN_MEMORY)
    } else {
      const folder = dirname(dbPath)
      makePrivateFolder(folder)
      const network = networkFileSystem(folder)
      if (network !== undefined)
        log(`The database lies on ${network}: this process takes it whole. A local disk is faster: --db PATH`)
      ownership = takeOwnership(dbPath)
      touchPrivateFile(dbPath)
      db = openFile(dbPath, { durability, exclusive: network !== undefined })
    }
    if (dbPath !== IN_MEMORY) await keepOlder(db, dbPath, log)
    await db.write(() => migrate(Date.now()))
    await healAfterStart(db, Date.now())
    await db.write(() => failOpenTasks(Date.now()))
    return { ownership, db: withFairLeases(db) }
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

/** A later server of the same output directory may have written its own there. */
function removeInfo(path: string, url: string): void {
  try {
    if (JSON.parse(readFileSync(path, 'utf8')).url === url) rmSync(path, { force: true })
  } catch {
    // It is gone, or nothing that leads anybody here.
  }
}
