import type { AppRequest } from '../context.ts'
import { createRateLimit, type Rate } from './rate.ts'
import { tooMany } from './too-many.ts'

/** A runner that may not renew its leases would lose its jobs. */
const HEARTBEAT = /\/(compute_nodes\/[^/]+|claims)\/heartbeat$/

/** Keeps one token from taking the whole server: ends its writes with 429 when they come too fast. Reads and heartbeats do not count. */
export type WriteLimit = (c: AppRequest, tokenId: number) => void

export function createWriteLimit(rate: Rate, clock: () => number): WriteLimit {
  const writes = createRateLimit(rate, clock)
  return ({ req }, tokenId) => {
    if (req.method === 'GET' || req.method === 'HEAD' || HEARTBEAT.test(req.path)) return
    const waitMs = writes.take(String(tokenId))
    if (waitMs > 0) throw tooMany('this token writes too often', waitMs)
  }
}
