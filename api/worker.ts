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
  fetch(request: Request, env: EdgeEnv, context: Context): Promise<Response> {
    // The runtime sets this header itself, whatever the caller says.
    const response = edgeOf(env).fetch(request, request.headers.get('cf-connecting-ip') ?? undefined)
    // The runtime ends what a caller that has gone asked for: in the middle of a transaction that locks the database for seconds.
    context.waitUntil(response)
    return response
  },
  scheduled(_event: unknown, env: EdgeEnv, context: Context): void {
    context.waitUntil(edgeOf(env).tick())
    context.waitUntil(edgeOf(env).deliver())
  },
}
