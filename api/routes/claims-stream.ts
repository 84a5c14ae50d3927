import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'
import { listReadyWorkflows, type Serving } from '../../db/served-workflows.ts'
import type { AppEnv, Services } from '../context.ts'
import { callerKey } from '../limits/caller.ts'
import { readQuery } from '../query.ts'
import { createReadyWatch } from '../ready-watch.ts'
import { createStillOpens } from '../tokens/still-opens.ts'

/** Silence after which a comment is sent, so that proxies keep the connection. */
const KEEP_ALIVE_MS = 15_000

/**
 * Tells idle runners that work they serve may have become ready, and nothing else: what it is, a claim finds out. Nothing is kept for who
 * was not listening, since every runner polls as well.
 */
export function claimStreamRoutes(services: Services): Hono<AppEnv> {
  const { db, addressOf, streams, stopping, requestsApart } = services
  const routes = new Hono<AppEnv>()
  const shared = requestsApart ? undefined : createReadyWatch(db, stopping)

  async function follow(out: StreamingApi, serving: Serving, mayRead: () => Promise<boolean>): Promise<void> {
    const watch = shared ?? createReadyWatch(db, stopping)
    const [only] = serving.workflowIds ?? []
    const listener = watch.listen(serving.workflowIds?.length === 1 ? only : undefined)
    out.onAbort(() => listener.leave())
    try {
      // The first bytes make the headers go out at once.
      await out.write(': open\n\n')
      while (!out.aborted && !stopping.aborted) {
        const hasNews = await listener.next(KEEP_ALIVE_MS)
        if (out.aborted || stopping.aborted || !(await mayRead())) return
        if (!hasNews) await out.write(': still here\n\n')
        else if ((await db.read(() => listReadyWorkflows(serving))).length > 0)
          await out.write('event: ready\ndata: {}\n\n')
      }
    } finally {
      listener.leave()
    }
  }

  routes.get('/claims/stream', async c => {
    const { workflow_id, user, project } = readQuery(c, { workflow_id: 'integer', user: 'text', project: 'text' })
    const { subject, grant } = c.var
    const workflowIds = workflow_id === undefined ? undefined : [workflow_id]
    c.header('Content-Type', 'text/event-stream')
    c.header('Cache-Control', 'no-cache, no-transform')
    c.header('X-Accel-Buffering', 'no')
    // A stream that nobody reads would wait for its reader for ever.
    if (c.req.method === 'HEAD') return c.body(null)
    const leave = streams.take(callerKey(c, addressOf(c)))
    return stream(c, async out => {
      try {
        await follow(out, { workflowIds, user, project, subject }, createStillOpens(services, grant))
      } finally {
        leave()
      }
    })
  })
  return routes
}
