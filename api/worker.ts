import packageJson from '../package.json' with { type: 'json' }
import { createEdge, type Edge, type EdgeEnv } from './entries/edge.ts'
import { fetchPost } from './entries/fetch-post.ts'

/** The part of the runtime's context that is used here. */
type Context = { waitUntil(work: Promise<unknown>): void }

/** Made by the first request, since settings come with requests. Holds plain values only (entries/edge.ts). */
let edge: Edge | undefined

const edgeOf = (env: EdgeEnv): Edge => {
  edge ??= createEdge(env, { version: packageJson.version, requestsApart: true, createPost: () => fetchPost })
  return edge
}

/** Cloudflare Workers: the API, and the tick and webhooks by a cron trigger (wrangler.toml). Nothing else runs after a response. */
export default {
  // The runtime sets this header itself, whatever the caller says.
  fetch: (request: Request, env: EdgeEnv): Promise<Response> =>
    edgeOf(env).fetch(request, request.headers.get('cf-connecting-ip') ?? undefined),
  scheduled(_event: unknown, env: EdgeEnv, context: Context): void {
    context.waitUntil(edgeOf(env).tick())
    context.waitUntil(edgeOf(env).deliver())
  },
}
