import { matchedRoutes } from 'hono/route'
import type { AppRequest } from '../context.ts'
import type { Family, Sample } from './exposition.ts'
import { createHistogram, type Histogram } from './histogram.ts'

export type RequestMetrics = {
  /** Times every request and counts it by its route and status. */
  watch(c: AppRequest, next: () => Promise<void>): Promise<void>
  families(): Family[]
}

/** Requests that match no operation, and those refused before one was looked for. */
const NO_ROUTE = 'none'
/** The bases are one API: an operation is the same under both. */
const BASE = /^\/(torc-service\/)?v1(?=\/)/

type Route = { method: string; route: string; durations: Histogram; statuses: Map<number, number> }

export function createRequestMetrics(now: () => number = () => performance.now()): RequestMetrics {
  const routes = new Map<string, Route>()

  function routeOf(c: AppRequest): Route {
    const path = operationPath(c)
    // Without a route the method is any word of the caller's: all such requests are one.
    const method = path === undefined ? 'any' : c.req.method
    const key = `${method} ${path}`
    let route = routes.get(key)
    if (route === undefined) {
      route = { method, route: path ?? NO_ROUTE, durations: createHistogram(), statuses: new Map() }
      routes.set(key, route)
    }
    return route
  }

  return {
    async watch(c, next) {
      const began = now()
      await next()
      const { durations, statuses } = routeOf(c)
      durations.observe((now() - began) / 1_000)
      statuses.set(c.res.status, (statuses.get(c.res.status) ?? 0) + 1)
    },
    families: () => [
      {
        name: 'headrace_requests_total',
        type: 'counter',
        help: 'Requests answered, by operation and status.',
        samples: [...routes.values()].flatMap(({ method, route, statuses }) =>
          [...statuses].map(
            ([status, value]): Sample => ({ labels: { method, route, status: String(status) }, value }),
          ),
        ),
      },
      {
        name: 'headrace_request_duration_seconds',
        type: 'histogram',
        help: 'Time to answer, by operation; of a stream, until it begins.',
        samples: [...routes.values()].flatMap(({ method, route, durations }) => durations.samples({ method, route })),
      },
    ],
  }
}

/** The operation that answered, or would have if nothing had refused the request before: `/jobs/:id`. */
export function operationPath(c: AppRequest): string | undefined {
  const routes = matchedRoutes(c)
  const answered = routes[c.req.routeIndex]
  const operation = answered === undefined || answered.method === 'ALL' ? routes.at(-1) : answered
  return operation === undefined || operation.method === 'ALL' ? undefined : operation.path.replace(BASE, '')
}
