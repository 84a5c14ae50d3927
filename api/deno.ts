import packageJson from '../package.json' with { type: 'json' }
import { createEdge } from './entries/edge.ts'
import { createPost } from './node/webhooks/post.ts'

/** The part of the runtime that is used here. */
declare const Deno: {
  env: { get(name: string): string | undefined }
  serve(
    options: { hostname: string; port: number; onListen(address: { hostname: string; port: number }): void },
    handler: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
  ): { shutdown(): Promise<void>; finished: Promise<void> }
  addSignalListener(signal: 'SIGINT' | 'SIGTERM', handler: () => void): void
}

/** Deno: the API and its timers. Needs --allow-net, --allow-env, and --allow-read for the engine of selectors (docs/deploy.md). */

/** How often what nobody asks for is done; the Node server does it as often. */
const TICK_MS = 5_000
/** How often it is looked whether webhooks have something to tell. */
const LOOK_MS = 1_000

const setting = (name: string) => Deno.env.get(name)
const edge = createEdge(
  {
    HEADRACE_DB_URL: setting('HEADRACE_DB_URL'),
    HEADRACE_DB_TOKEN: setting('HEADRACE_DB_TOKEN'),
    HEADRACE_TOKEN: setting('HEADRACE_TOKEN'),
    HEADRACE_WEBHOOK_HOSTS: setting('HEADRACE_WEBHOOK_HOSTS'),
    HEADRACE_WEBHOOK_INSIDE: setting('HEADRACE_WEBHOOK_INSIDE'),
  },
  { version: packageJson.version, requestsApart: false, createPost },
)

const server = Deno.serve(
  {
    hostname: setting('HEADRACE_HOST') ?? '127.0.0.1',
    port: Number(setting('HEADRACE_PORT') ?? 8080),
    onListen: ({ hostname, port }) => console.log(`Serving at http://${hostname}:${port}`),
  },
  (request, { remoteAddr }) => edge.fetch(request, remoteAddr.hostname),
)

const timers = [every(TICK_MS, 'tick', edge.tick), every(LOOK_MS, 'deliver webhooks', edge.deliver)]

/** Does it again and again, but never twice at once. */
function every(ms: number, doing: string, work: () => Promise<void>): ReturnType<typeof setInterval> {
  let busy = false
  return setInterval(() => {
    if (busy) return
    busy = true
    work()
      .catch((error: unknown) => console.error(`Cannot ${doing}:`, error))
      .finally(() => {
        busy = false
      })
  }, ms)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  Deno.addSignalListener(signal, () => {
    for (const timer of timers) clearInterval(timer)
    void server.shutdown()
  })
}
