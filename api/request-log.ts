import type { AppRequest } from './context.ts'
import { operationPath } from './metrics/request-metrics.ts'

/** One request that was answered, without anything that was in it but its path: queries and headers may hold secrets. */
export type LoggedRequest = {
  span: string
  method: string
  /** The operation, as `/jobs/:id`; absent where there is none. */
  operation: string | undefined
  path: string
  status: number
  milliseconds: number
  user: string | undefined
  token: number | undefined
  address: string | undefined
}

export type LogRequest = (request: LoggedRequest) => void

/** Tells of each request once it is answered. */
export function logRequests(log: LogRequest, addressOf: (c: AppRequest) => string | undefined) {
  return async (c: AppRequest, next: () => Promise<void>) => {
    const began = performance.now()
    await next()
    log({
      span: c.res.headers.get('X-Span-ID') ?? '',
      method: c.req.method,
      operation: operationPath(c),
      path: c.req.path,
      status: c.res.status,
      milliseconds: Math.round((performance.now() - began) * 1_000) / 1_000,
      user: c.var.user,
      token: c.var.grant?.tokenId,
      address: addressOf(c),
    })
  }
}
