import { Hono } from 'hono'
import { findEpoch } from '../db/identity.ts'
import type { AppEnv, Services } from './context.ts'

/** Answers as long as the process does, whatever the database says. */
export const HEALTH_PATH = '/healthz'

/**
 * For those that start, stop and route to the server, without credentials: `/healthz` tells that the process answers, `/readyz` that it
 * should be sent requests: its database answers and it is not about to stop. They tell nothing else.
 */
export function healthRoutes({ db, stopping }: Pick<Services, 'db' | 'stopping'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const answersReads = (): Promise<boolean> =>
    db.read(findEpoch).then(
      () => true,
      () => false,
    )

  routes.get(HEALTH_PATH, c => c.json({ status: 'ok' }))
  routes.get('/readyz', async c => {
    const isReady = !stopping.aborted && (await answersReads())
    return isReady ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503, { 'Retry-After': '1' })
  })
  return routes
}
