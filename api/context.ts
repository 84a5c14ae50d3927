import type { Context } from 'hono'
import type { Db } from '../db/unit.ts'
import type { DialectOption } from './dialect.ts'

export type Limits = {
  /** Largest request body in bytes, of most operations. */
  bodyBytes: number
  /** The same for operations that carry lists: bulk creation, completions, user data, events. */
  bulkBodyBytes: number
}

const MIB = 2 ** 20
export const DEFAULT_LIMITS: Limits = { bodyBytes: 2 * MIB, bulkBodyBytes: 200 * MIB }

/** What every route may use. Nothing here belongs to one request. */
export type Services = {
  db: Db
  /** Epoch milliseconds; the only clock of the server. */
  clock: () => number
  version: string
  dialect: DialectOption
  /** Aborted when the server stops: streams end, so that they do not hold it. */
  stopping: AbortSignal
}

/** What the middleware has found out about one request. */
export type AppEnv = { Variables: { user: string } }

export type AppRequest = Context<AppEnv>
