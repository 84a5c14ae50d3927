import type { Transport } from './transport.ts'

/** The part of a Hono app that is needed here. */
type App = { fetch(request: Request): Response | Promise<Response> }

/** Only the path of it is looked at. */
const BASE = 'http://in-process/v1'

/** Calls an app of this process: no socket and no time-out, since the reply needs nothing but this event loop. */
export function createAppTransport(app: App): Transport {
  return {
    async send({ method, path, headers, body }) {
      // With the length known the app need not count a body while it reads it (platform.md 6).
      const length = body === undefined ? undefined : { 'content-length': String(Buffer.byteLength(body)) }
      const response = await app.fetch(new Request(BASE + path, { method, headers: { ...headers, ...length }, body }))
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        text: await response.text(),
      }
    },
    async close() {},
  }
}
