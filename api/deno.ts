import packageJson from '../package.json' with { type: 'json' }
import { createEdge } from './entries/edge.ts'

/** The part of the runtime that is used here. */
declare const Deno: {
  env: { get(name: string): string | undefined }
  serve(
    options: { hostname: string; port: number; onListen(address: { hostname: string; port: number }): void },
    handler: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
  ): { shutdown(): Promise<void>; finished: Promise<void> }
  addSignalListener(signal: 'SIGINT' | 'SIGTERM', handler: () => void): void
}

/** Deno: the API and its timer. Needs --allow-net, --allow-env, and --allow-read for the engine of selectors (docs/deploy.md). */

/** How often what nobody asks for is done; the Node server does it as often. */
const TICK_MS = 5_000

const setting = (name: string) => Deno.env.get(name)
const edge = createEdge(
  {
    HEADRACE_DB_URL: setting('HEADRACE_DB_URL'),
    HEADRACE_DB_TOKEN: setting('HEADRACE_DB_TOKEN'),
    HEADRACE_TOKEN: setting('HEADRACE_TOKEN'),
  },
  { version: packageJson.version, requestsApart: false },
)

const server = Deno.serve(
  {
    hostname: setting('HEADRACE_HOST') ?? '127.0.0.1',
    port: Number(setting('HEADRACE_PORT') ?? 8080),
    onListen: ({ hostname, port }) => console.log(`Serving at http://${hostname}:${port}`),
  },
  (request, { remoteAddr }) => edge.fetch(request, remoteAddr.hostname),
)

let ticking = false
const timer = setInterval(() => {
  if (ticking) return
  ticking = true
  edge
    .tick()
    .catch((error: unknown) => console.error('Cannot tick:', error))
    .finally(() => {
      ticking = false
    })
}, TICK_MS)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  Deno.addSignalListener(signal, () => {
    clearInterval(timer)
    void server.shutdown()
  })
}
