import type { AppRequest } from '../context.ts'
import { AppError } from '../errors.ts'
import type { MeasuredDb } from '../metrics/measure-db.ts'

/** Nobody need ask again sooner, or wait longer. */
const LEAST_SECONDS = 1
const MOST_SECONDS = 30

type Queue = Pick<MeasuredDb, 'waitingWrites' | 'writesPerSecond'>

/**
 * Ends a write with 503 while too many wait for the database: what is refused at once costs nothing, and what has been taken is answered
 * in time. Says when to come back by how quickly the queue goes down.
 */
export function refuseWhenFull({ req }: AppRequest, db: Queue, most: number): void {
  if (db.waitingWrites < most || req.method === 'GET' || req.method === 'HEAD') return
  const seconds = Math.ceil(db.waitingWrites / Math.max(1, db.writesPerSecond()))
  throw new AppError('unavailable', 'Cannot answer now as too many writes wait for the database: try again later', {
    retry_after_seconds: Math.min(Math.max(seconds, LEAST_SECONDS), MOST_SECONDS),
  })
}
