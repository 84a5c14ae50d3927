import { Hono } from 'hono'
import { DependencyCycle, initializeWorkflow } from '../../db/initialize.ts'
import type { AppEnv, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'

/** Makes a workflow ready to run. */
export function initializeRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/initialize_jobs', async c => {
    const id = pathInteger(c, 'id')
    const { only_uninitialized: onlyUninitialized = false } = readQuery(c, {
      only_uninitialized: 'boolean',
      clear_ephemeral_user_data: 'boolean',
      async: 'boolean',
    })
    await db.read(() => needWorkflow(id))
    try {
      await initializeWorkflow(db, id, { onlyUninitialized, now: clock(), user: c.var.user })
    } catch (error) {
      if (error instanceof DependencyCycle)
        throw new AppError('invalid', error.message, { field: 'depends_on_job_ids', cycle: error.names })
      throw error
    }
    return c.json({ message: `Initialized workflow ${id}` })
  })
  return routes
}
