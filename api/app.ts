import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { findEpoch } from '../db/identity.ts'
import type { Db } from '../db/unit.ts'
import { type AccessOptions, admit } from './access.ts'
import { accessGate } from './access-gate.ts'
import { type AppEnv, type AppRequest, DEFAULT_LIMITS, type Limits, type Services, type Stopping } from './context.ts'
import type { DialectOption } from './dialect.ts'
import { AppError } from './errors.ts'
import { refusalOf } from './refusal.ts'
import type { RequestStats } from './request-stats.ts'
import { mountRoutes } from './routes/main.ts'
import { openApiRoutes } from './routes/openapi.ts'

export type AppOptions = {
  db: Db
  /** Epoch milliseconds; the wall clock unless a test passes its own. */
  clock?: () => number
  version: string
  /** Who is let in. Absent: everybody. */
  access?: AccessOptions
  /** What `/admin/api-stats` shows; whoever serves the app counts. */
  stats?: RequestStats
  limits?: Partial<Limits>
  dialect?: DialectOption
  /** Aborted when the server is about to stop. */
  stopping?: Stopping
  /** No request may wait for what another one has begun. */
  requestsApart?: boolean
  /** Told of every error that is a fault of ours. */
  onFault?: (error: unknown, span: string) => void
}

/** Where the app is mounted: as Torc's clients expect it, and as our documents write it. */
const BASES = ['/torc-service/v1', '/v1']

/** Not a signal: on Workers that which makes one is the only request that may look at it. */
const NEVER: Stopping = { aborted: false, addEventListener: () => {} }

/** Builds the whole API over a database. It knows no runtime: entries serve its `fetch`, tests call its `request`. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { db, clock = Date.now, version, access, dialect = 'auto', onFault = () => {} } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const { stopping = NEVER, requestsApart = false } = options
  const services: Services = { db, clock, version, dialect, access, stats: options.stats, stopping, requestsApart }
  const api = mountRoutes(services)
  const app = new Hono<AppEnv>()
  let epoch: string | undefined

  app.use(async (c, next) => {
    c.header('X-Span-ID', c.req.header('x-span-id') || crypto.randomUUID())
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('X-Frame-Options', 'DENY')
    epoch ??= await db.read(findEpoch)
    c.header('X-Headrace-Epoch', epoch)
    const { user, subject } = await admit(c, access)
    c.set('user', user)
    c.set('subject', subject)
    await next()
  })
  app.use(limitBodies(limits))

  for (const base of BASES) {
    app.use(
      `${base}/*`,
      accessGate(db, base, c => isKnownPath(app, c)),
    )
    app.route(base, api)
  }
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
    if (refusal.code === 'unavailable') c.header('Retry-After', '5')
    return c.json(refusal.body, refusal.status)
  })
  return app
}

/** Paths whose bodies carry lists or data of any size (contract/notes.md 1, 19.8). */
const BULK_PATH =
  /\/(bulk_jobs|bulk_files|bulk_user_data|batch_complete_jobs|user_data|events|from_spec|from_expansion)(\/\d+)?$/

/** Paths whose bodies are worked off line by line, and never held whole. */
const STREAMED_PATH = /\/workflows\/import$/

/** Refuses a body that is too large by its header; only a body without length is counted while it is read (platform.md 6). */
function limitBodies(limits: Limits) {
  const tooLarge = (most: number) =>
    new AppError('too_large', `Cannot read the request body as it is larger than ${most} bytes`)
  const counting = (most: number) =>
    bodyLimit({
      maxSize: most,
      onError: () => {
        throw tooLarge(most)
      },
    })
  const countUsual = counting(limits.bodyBytes)
  const countBulk = counting(limits.bulkBodyBytes)
  return async (c: AppRequest, next: () => Promise<void>) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    if (STREAMED_PATH.test(c.req.path)) return next()
    const bulk = BULK_PATH.test(c.req.path)
    const length = c.req.header('content-length')
    if (length === undefined || c.req.header('transfer-encoding') !== undefined)
      return (bulk ? countBulk : countUsual)(c, next)
    const most = bulk ? limits.bulkBodyBytes : limits.bodyBytes
    if (Number(length) > most) throw tooLarge(most)
    return next()
  }
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']

function isKnownPath(app: Hono<AppEnv>, c: AppRequest): boolean {
  return METHODS.some(method => app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method !== 'ALL'))
}
