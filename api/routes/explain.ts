import { Hono } from 'hono'
import { explain } from '../../db/explain.ts'
import type { AppEnv, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'

/** Ours: why a job is not running. */
export function explainRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/jobs/:id/explain', async c => {
    const id = pathInteger(c, 'id')
    const explanation = await db.read(() => explain(id, clock()))
    if (explanation === undefined) throw new AppError('not_found', `Job not found with ID: job_id=${id}`)
    return c.json(explanation)
  })
  return routes
}
