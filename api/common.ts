import type { Db } from '../db/unit.ts'
import type { Limits } from './context.ts'
import { createFailureLimit, type FailureLimit } from './limits/failures.ts'
import { createSlots, type Slots } from './limits/slots.ts'
import { createWriteLimit, type WriteLimit } from './limits/writers.ts'
import type { MeasuredDb } from './metrics/measure-db.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createTokenCheck, type TokenCheck } from './tokens/check.ts'

/** What the apps of one process have in common, however many databases it serves: tokens, limits and counts. */
export type Common = {
  tokenDb: Db
  tokens: TokenCheck
  metrics: Metrics
  streams: Slots
  limitWrites: WriteLimit
  failures: FailureLimit
}

type Making = { db: MeasuredDb; clock: () => number; version: string; limits: Limits }

/** `db` holds the tokens; it is also the one whose figures are shown. */
export const createCommon = ({ db, clock, version, limits }: Making): Common => ({
  tokenDb: db,
  tokens: createTokenCheck({ db, clock }),
  metrics: createMetrics(db, version),
  streams: createSlots('event streams', limits.streams),
  limitWrites: createWriteLimit(limits.tokenWrites, clock),
  failures: createFailureLimit(limits.failures, clock),
})
