import type { Context } from 'hono'
import type { Subject } from '../db/access-control.ts'
import type { Db } from '../db/unit.ts'
import type { AccessOptions } from './access.ts'
import type { DialectOption } from './dialect.ts'
import type { Rate } from './limits/rate.ts'
import type { Slots } from './limits/slots.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { RequestStats } from './request-stats.ts'
import type { TokenCheck } from './tokens/check.ts'
import type { Grant } from './tokens/grant.ts'
import type { WebhookPolicy } from './webhooks/policy.ts'

export type Limits = {
  /** Largest request body in bytes, of most operations. */
  bodyBytes: number
  /** The same for operations that carry lists: bulk creation, completions, user data, events. */
  bulkBodyBytes: number
  /** Writes of one token, heartbeats apart. The server's own token has no limit. */
  tokenWrites: Rate
  /** Wrong credentials from one address. */
  failures: Rate
  /** Writes that wait for the database; more are told to come back. */
  waitingWrites: number
  /** Open event streams, in all and of one caller. */
  streams: { inAll: number; each: number }
}

const MIB = 2 ** 20
export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 2 * MIB,
  bulkBodyBytes: 200 * MIB,
  // A runner sends tens of requests in a busy second, and some hundred runners may share a token.
  tokenWrites: { burst: 4_000, perSecond: 2_000 },
  // A hundred slips at once, as of the runners of a cluster, then one in five seconds: the million likeliest passwords take two months.
  failures: { burst: 100, perSecond: 0.2 },
  // The queue of a server at its full rate turns over in less than a second.
  waitingWrites: 2_000,
  // Each costs some 20 kB; a runner has one.
  streams: { inAll: 5_000, each: 2_000 },
}

/** As much of an abort signal as is used of it. */
export type Stopping = Pick<AbortSignal, 'aborted' | 'addEventListener'>

/** What every route may use. Nothing here belongs to one request. */
export type Services = {
  db: Db
  /** Where tokens and the audit log stand: the same database, unless each project has its own. */
  tokenDb: Db
  /** Where the workflows of this project stand. */
  databaseOf: (project: string | null | undefined) => Promise<Db>
  /** Epoch milliseconds; the only clock of the server. */
  clock: () => number
  version: string
  dialect: DialectOption
  /** Who is let in, and to what. Absent: everybody, to everything. */
  access?: AccessOptions
  /** Finds out what tokens allow. */
  tokens: TokenCheck
  /** Counts of the requests served, where the runtime keeps them. */
  stats?: RequestStats
  /** What is measured of this process. */
  metrics: Metrics
  /** Where a request comes from, as far as the runtime tells. */
  addressOf: (c: AppRequest) => string | undefined
  /** Who listens to events now. */
  streams: Slots
  /** Where webhooks may point; absent where none are delivered. */
  webhooks?: WebhookPolicy
  /** Aborted when the server stops: streams end, so that they do not hold it. */
  stopping: Stopping
  /** A request must not wait for what another one has begun: the rule of Workers (platform.md 5.2). */
  requestsApart: boolean
}

/** The project a database is of; undefined: it keeps what is of none. */
export type Home = { project: string | undefined }

/** What the middleware has found out about one request. */
export type AppEnv = {
  Variables: {
    /** The name under which things are recorded. */
    user: string
    /** For whom the access rules hold; absent where everything is allowed: rules are off, or it is the operator. */
    subject: Subject | undefined
    /** The token the caller has shown, if it is one of those that are made and revoked. */
    grant: Grant | undefined
    /** What an administrative call has changed, in words for the audit log. */
    changed: string | undefined
    /** Whose database this is, where each project has its own. */
    home: Home | undefined
  }
}

export type AppRequest = Context<AppEnv>
