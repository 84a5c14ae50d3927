import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { AppEnv, Services } from '../context.ts'
import { toChunks } from '../ndjson.ts'
import { pathInteger, readQuery } from '../query.ts'
import { exportRecords } from './export-records.ts'
import { needWorkflow } from './guards.ts'

/** Ours: a whole workflow as one document, sent while it is read. */
export function exportRoutes(services: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/export', async c => {
    const id = pathInteger(c, 'id')
    const { include_results: results = true, include_events: events = true } = readQuery(c, {
      include_results: 'boolean',
      include_events: 'boolean',
    })
    const workflow = await services.db.read(() => needWorkflow(id))
    c.header('Content-Type', 'application/x-ndjson')
    c.header('Content-Disposition', `attachment; filename="workflow-${id}.ndjson"`)
    // A stream that nobody reads would wait for its reader for ever.
    if (c.req.method === 'HEAD') return c.body(null)
    return stream(c, async out => {
      for await (const chunk of toChunks(exportRecords(services, workflow, { results, events }))) {
        if (out.aborted) return
        await out.write(chunk)
      }
    })
  })
  return routes
}
