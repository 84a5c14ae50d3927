import type { Context } from 'hono'
import type { Subject } from '../db/access-control.ts'
import type { Db } from '../db/unit.ts'
import type { AccessOptions } from './access.ts'
import type { DialectOption } from './dialect.ts'
import type { RequestStats } from './request-stats.ts'

export type Limits = {
  /** Largest request body in bytes, of most operations. */
  bodyBytes: number
  /** The same for operations that carry lists: bulk creation, completions, user data, events. */
  bulkBodyBytes: number
}

const MIB = 2 ** 20
export const DEFAULT_LIMITS: Limits = { bodyBytes: 2 * MIB, bulkBodyBytes: 200 * MIB }

/** As much of an abort signal as is used of it. */
export type Stopping = Pick<AbortSignal, 'aborted' | 'addEventListener'>

/** What every route may use. Nothing here belongs to one request. */
export type Services = {
  db: Db
  /** Epoch milliseconds; the only clock of the server. */
  clock: () => number
  version: string
  dialect: DialectOption
  /** Who is let in, and to what. Absent: everybody, to everything. */
  access?: AccessOptions
  /** Counts of the requests served, where the runtime keeps them. */
  stats?: RequestStats
  /** Aborted when the server stops: streams end, so that they do not hold it. */
  stopping: Stopping
  /** A request must not wait for what another one has begun: the rule of Workers (platform.md 5.2). */
  requestsApart: boolean
}

/** What the middleware has found out about one request. */
export type AppEnv = {
  Variables: {
    /** The name under which things are recorded. */
    user: string
    /** For whom the access rules hold; absent where everything is allowed: rules are off, or it is the operator. */
    subject: Subject | undefined
  }
}

export type AppRequest = Context<AppEnv>
