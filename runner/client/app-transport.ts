import type { Transport } from './transport.ts'

/** The part of a Hono app that is needed here. */
type App = { fetch(request: Request): Response | Promise<Response> }

/** Only the path of it is looked at. */
const BASE = 'http://in-process/v1'

/** Calls an app of this process: no socket and no time-out, since the reply needs nothing but this event loop. */
export function createAppTransport(app: App): Transport {
  return {
    async send({ method, path, headers, body }) {
      const response = await app.fetch(localRequest(BASE + path, method, headers, body))
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        text: await response.text(),
      }
    },
    async close() {},
  }
}

/**
 * What the app reads of a request, without the stream that a real one builds around its body: that costs as much as handling a small
 * batch. With the length known the app need not count the body while it reads it (platform.md 6).
 */
function localRequest(url: string, method: string, headers: Readonly<Record<string, string>>, body = ''): Request {
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const request = {
    url,
    method,
    headers: new Headers({ ...headers, ...length }),
    text: async () => body,
    arrayBuffer: async () => new TextEncoder().encode(body).buffer,
    // Asked for by the few operations that read what they get piece by piece.
    get body() {
      return body === '' ? null : new Response(body).body
    },
  }
  return request as unknown as Request
}
