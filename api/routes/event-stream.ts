import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'
import { findAccess } from '../../db/access-control.ts'
import { lastStreamEvent } from '../../db/stream-events.ts'
import type { AppEnv, Services } from '../context.ts'
import { levelOf } from '../contract/stream.ts'
import { createFrameReader, type Wanted } from '../event-frames.ts'
import { createEventWatch } from '../event-watch.ts'
import { callerKey } from '../limits/caller.ts'
import { pathInteger, readQuery } from '../query.ts'
import { createStreamPace } from '../stream-pace.ts'
import { createStillOpens } from '../tokens/still-opens.ts'
import { needWorkflow } from './guards.ts'

/** Silence after which a comment is sent, so that proxies keep the connection. */
const KEEP_ALIVE_MS = 15_000

type Following = { id: number; after: number; wanted: Wanted; mayRead: () => Promise<boolean> }

/** A workflow's events as they happen. Rows are the source, so a stream resumes where it broke off, also at another instance. */
export function eventStreamRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, metrics, addressOf, streams, stopping, requestsApart } = services
  const routes = new Hono<AppEnv>()
  const shared = requestsApart ? undefined : createEventWatch(db, stopping)
  const readFrames = createFrameReader(db)
  const pace = createStreamPace()

  /** Writes what happens until the reader is gone, may not read any more, or the server stops. */
  async function follow(out: StreamingApi, { id, after, wanted, mayRead }: Following): Promise<void> {
    const gone = new AbortController()
    out.onAbort(() => gone.abort())
    const watch = shared ?? createEventWatch(db, gone.signal)
    // The first bytes make the headers go out at once.
    await out.write(': open\n\n')
    let last = after
    let spokeAt = performance.now()
    // What happened before the stream began does not tell how late it is.
    let hasCaughtUp = false
    while (!out.aborted && !stopping.aborted) {
      const frames = await readFrames(id, last, wanted)
      last = frames.last
      if (frames.bytes !== undefined) {
        await pace.allow(frames.bytes.length)
        if (!(await mayRead())) return
        // A reader that is slow is waited for here, alone: nobody else waits for it.
        await out.write(frames.bytes)
        spokeAt = performance.now()
        if (hasCaughtUp && frames.lastAt !== undefined) metrics.work.eventSent(clock() - frames.lastAt)
      }
      if (frames.more) continue
      hasCaughtUp = true
      const news = await watch.newer(id, last, spokeAt + KEEP_ALIVE_MS - performance.now(), gone.signal)
      if (news || out.aborted || stopping.aborted) continue
      if (!(await mayRead())) return
      await out.write(': still here\n\n')
      spokeAt = performance.now()
    }
  }

  routes.get('/workflows/:id/events/stream', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, { level: 'text', types: 'text' })
    const wanted: Wanted = { level: levelOf(query.level), allTypes: query.types === 'all' }
    const resumed = Number(c.req.header('last-event-id') ?? Number.NaN)
    const last = await db.read(function* () {
      yield* needWorkflow(id)
      return Number.isSafeInteger(resumed) && resumed >= 0 ? resumed : yield* lastStreamEvent(id)
    })
    const { subject, grant } = c.var
    const stillOpens = createStillOpens(services, grant)
    // The right to a stream may be taken away while it is open.
    const mayRead = async (): Promise<boolean> =>
      (await stillOpens()) &&
      (subject === undefined || (await db.read(() => findAccess('workflow', id, subject))) === true)
    c.header('Content-Type', 'text/event-stream')
    c.header('Cache-Control', 'no-cache, no-transform')
    c.header('X-Accel-Buffering', 'no')

    // A stream that nobody reads would wait for its reader for ever.
    if (c.req.method === 'HEAD') return c.body(null)
    const leave = streams.take(callerKey(c, addressOf(c)))
    return stream(c, async out => {
      try {
        await follow(out, { id, after: last, wanted, mayRead })
      } finally {
        leave()
      }
    })
  })
  return routes
}
