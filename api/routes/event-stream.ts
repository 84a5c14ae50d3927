import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { lastStreamEvent, listStreamEvents, type StreamEventRow } from '../../db/stream-events.ts'
import type { AppEnv, Services } from '../context.ts'
import { isKnownType, levelOf, SEVERITIES, severityOf } from '../contract/stream.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'

/** Pause between looks at the table. A dependant's runner hears within this time that work has become ready. */
const LOOK_MS = 50
/** Another instance may write to the same database: looks that our own writes do not ask for. */
const FOREIGN_LOOK_MS = 1_000
/** Silence after which a comment is sent, so that proxies keep the connection. */
const KEEP_ALIVE_MS = 15_000
/** Events read at once: a stream that resumes far back goes on in steps. */
const STEP = 500

type Wanted = { level: number; allTypes: boolean }

/** A workflow's events as they happen. Rows are the source, so a stream resumes where it broke off, also at another instance. */
export function eventStreamRoutes({ db, stopping }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/events/stream', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, { level: 'text', types: 'text' })
    const wanted: Wanted = { level: levelOf(query.level), allTypes: query.types === 'all' }
    const resumed = Number(c.req.header('last-event-id') ?? Number.NaN)
    let last = await db.read(function* () {
      yield* needWorkflow(id)
      return Number.isSafeInteger(resumed) && resumed >= 0 ? resumed : yield* lastStreamEvent(id)
    })
    c.header('Content-Type', 'text/event-stream')
    c.header('Cache-Control', 'no-cache, no-transform')
    c.header('X-Accel-Buffering', 'no')

    return stream(c, async out => {
      // The first bytes make the headers go out at once.
      await out.write(': open\n\n')
      let silentMs = 0
      let sinceLookMs = 0
      let seenWrites = -1
      while (!out.aborted && !stopping.aborted) {
        if (seenWrites !== db.writeTransactions || sinceLookMs >= FOREIGN_LOOK_MS) {
          seenWrites = db.writeTransactions
          sinceLookMs = 0
          for (;;) {
            const rows = await db.read(() => listStreamEvents(id, last, STEP))
            const frames = rows.map(row => frameOf(id, row, wanted)).join('')
            if (frames !== '') {
              await out.write(frames)
              silentMs = 0
            }
            last = rows.at(-1)?.seq ?? last
            if (rows.length < STEP) break
          }
        }
        if (silentMs >= KEEP_ALIVE_MS) {
          await out.write(': still here\n\n')
          silentMs = 0
        }
        await out.sleep(LOOK_MS)
        silentMs += LOOK_MS
        sinceLookMs += LOOK_MS
      }
    })
  })
  return routes
}

/** One frame, or nothing when the client does not want the event. Blanks after the colons and all five fields are required (14.2). */
function frameOf(workflowId: number, row: StreamEventRow, { level, allTypes }: Wanted): string {
  if (!allTypes && !isKnownType(row.type)) return ''
  const stored: Record<string, unknown> = row.data === null ? {} : JSON.parse(row.data)
  const severity = severityOf(row.type, stored)
  if (SEVERITIES.indexOf(severity) < level) return ''
  const data = row.job_id === null ? stored : { job_id: row.job_id, job_name: row.job_name ?? '', ...stored }
  const body = { workflow_id: workflowId, timestamp: row.at, event_type: row.type, severity, data }
  return `event: ${row.type}\ndata: ${JSON.stringify(body)}\nid: ${row.seq}\n\n`
}
