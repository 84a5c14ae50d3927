import { Hono } from 'hono'
import { needSystemAdmin } from '../access-rules.ts'
import type { AppEnv, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { EXPOSITION_TYPE } from '../metrics/exposition.ts'

/**
 * What Prometheus asks for. Numbers of all workflows are nobody's in particular: where rules hold, administrators may see them, and
 * tokens without user and fence (docs/tokens.md).
 */
export function metricsRoutes({ db, clock, metrics }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/metrics', async c => {
    const { subject } = c.var
    if (subject?.fence !== undefined)
      throw new AppError('forbidden', 'Cannot show the metrics with this token as it opens a part of the server only')
    await db.read(() => needSystemAdmin(subject))
    return c.body(await metrics.render(clock()), 200, { 'Content-Type': EXPOSITION_TYPE })
  })
  return routes
}
