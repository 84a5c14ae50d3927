import { Hono } from 'hono'
import { findEpoch } from '../db/identity.ts'
import type { Db } from '../db/unit.ts'
import { type AccessOptions, admit } from './access.ts'
import { accessGate } from './access-gate.ts'
import { AUDITED, auditAdministration } from './audit.ts'
import { type Common, createCommon } from './common.ts'
import {
  type AppEnv,
  type AppRequest,
  DEFAULT_LIMITS,
  type Home,
  type Limits,
  type Services,
  type Stopping,
} from './context.ts'
import type { DialectOption } from './dialect.ts'
import { AppError } from './errors.ts'
import { existenceFirst } from './existence-first.ts'
import { healthRoutes } from './health.ts'
import { limitBodies } from './limits/bodies.ts'
import { refuseWhenFull } from './limits/queue-depth.ts'
import { takes429AsFinal } from './limits/too-many.ts'
import { measureDb } from './metrics/measure-db.ts'
import { refusalOf } from './refusal.ts'
import { type LogRequest, logRequests } from './request-log.ts'
import type { RequestStats } from './request-stats.ts'
import { mountRoutes } from './routes/main.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { openApiRoutes } from './routes/openapi.ts'
import { spanOf } from './span.ts'
import { holdToken } from './tokens/gate.ts'
import type { Grant } from './tokens/grant.ts'
import type { WebhookPolicy } from './webhooks/policy.ts'

export type AppOptions = {
  db: Db
  /** What this app has in common with others of its process; absent: nothing. */
  common?: Common
  /** Where each project has its own database: whose this one is, and how to find the others. */
  home?: Home
  databaseOf?: Services['databaseOf']
  /** Epoch milliseconds; the wall clock unless a test passes its own. */
  clock?: () => number
  version: string
  /** Who is let in. Absent: everybody. */
  access?: AccessOptions
  /** What `/admin/api-stats` shows; whoever serves the app counts. */
  stats?: RequestStats
  /** Where webhooks may point, for a runtime that delivers them. */
  webhooks?: WebhookPolicy
  limits?: Partial<Limits>
  dialect?: DialectOption
  /** Aborted when the server is about to stop. */
  stopping?: Stopping
  /** No request may wait for what another one has begun. */
  requestsApart?: boolean
  /** Where a request comes from, as far as the runtime tells: failures are counted by it. */
  addressOf?: (c: AppRequest) => string | undefined
  /** The way to the caller is encrypted: he is told to keep to that. */
  isEncrypted?: boolean
  /** Told of every request that was answered. */
  logRequest?: LogRequest
  /** Told of every error that is a fault of ours. */
  onFault?: (error: unknown, span: string) => void
}

/** Where the app is mounted: as Torc's clients expect it, and as our documents write it. */
const BASES = ['/torc-service/v1', '/v1']

/** Not a signal: on Workers that which makes one is the only request that may look at it. */
const NEVER: Stopping = { aborted: false, addEventListener: () => {} }

/** Replies are data: a browser that shows one as a page must not let it do anything. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
/** Two years, as lists of such hosts ask for. */
const ENCRYPTED_ONLY = 'max-age=63072000'

/** Builds the whole API over a database. It knows no runtime: entries serve its `fetch`, tests call its `request`. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { clock = Date.now, version, access, dialect = 'auto', onFault = () => {}, logRequest } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const { stopping = NEVER, requestsApart = false, addressOf = () => undefined } = options
  const db = measureDb(options.db)
  const common = options.common ?? createCommon({ db, clock, version, limits })
  const { tokenDb, tokens, metrics, streams, limitWrites, failures } = common
  const { stats, home, databaseOf = async () => db } = options
  const services: Services = {
    db,
    tokenDb,
    databaseOf,
    clock,
    version,
    dialect,
    access,
    tokens,
    stats,
    webhooks: options.webhooks,
    metrics,
    addressOf,
    streams,
    stopping,
    requestsApart,
  }
  const admission = { tokens, failures, addressOf }
  const api = mountRoutes(services)
  const app = new Hono<AppEnv>()
  let epoch: string | undefined

  app.route('/', healthRoutes(services))
  app.use(metrics.requests.watch)
  if (logRequest !== undefined) app.use(logRequests(logRequest, addressOf))
  app.use(async (c, next) => {
    c.header('X-Span-ID', spanOf(c))
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('X-Frame-Options', 'DENY')
    c.header('Content-Security-Policy', DATA_POLICY)
    if (options.isEncrypted) c.header('Strict-Transport-Security', ENCRYPTED_ONLY)
    epoch ??= await db.read(findEpoch)
    c.header('X-Headrace-Epoch', epoch)
    const { user, subject, grant } = await admit(c, access, admission)
    c.set('user', user)
    c.set('subject', subject)
    c.set('grant', grant)
    c.set('home', home)
    if (home !== undefined) refuseStranger(home, grant)
    if (grant !== undefined) {
      holdToken(c, grant)
      limitWrites(c, grant.tokenId)
    }
    refuseWhenFull(c, db, limits.waitingWrites)
    await next()
  })
  app.use(limitBodies(limits))
  for (const base of BASES) {
    app.use(
      `${base}/*`,
      accessGate(db, base, c => isKnownPath(app, c)),
    )
    app.use(`${base}/*`, existenceFirst(db, base))
    for (const path of AUDITED) app.use(`${base}${path}`, auditAdministration({ db: tokenDb, clock }, base))
    app.route(base, api)
  }
  app.route('/', metricsRoutes(services))
  app.route('/', openApiRoutes(version))
  app.get('/', c =>
    c.html('<!doctype html><title>Headrace</title><p>Headrace is running. Its API is below <code>/v1</code>.</p>'),
  )

  app.notFound(c => {
    const error = isKnownPath(app, c)
      ? new AppError('method_not_allowed', `Cannot ${c.req.method} here: the path exists, with other methods`)
      : new AppError('not_found', 'Cannot find anything at this path')
    return c.json(error.body, error.status)
  })

  app.onError((error, c) => {
    const refusal = refusalOf(error, fault => onFault(fault, c.res.headers.get('X-Span-ID') ?? ''))
    const { retry_after_seconds = refusal.code === 'unavailable' ? 5 : undefined } = refusal.extra
    if (retry_after_seconds !== undefined) c.header('Retry-After', String(retry_after_seconds))
    const isFinalTo = refusal.status === 429 && takes429AsFinal(name => c.req.header(name))
    return c.json(refusal.body, isFinalTo ? 503 : refusal.status)
  })
  return app
}

/** A token may come to a database that is not its project's when it was made, or looked up, in this very moment. */
function refuseStranger({ project }: Home, grant: Grant | undefined): void {
  if ((grant?.fence?.project ?? undefined) === project) return
  throw new AppError('unavailable', 'Cannot answer in this moment as the token was only now found: try again')
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']

function isKnownPath(app: Hono<AppEnv>, c: AppRequest): boolean {
  return METHODS.some(method => app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method !== 'ALL'))
}
