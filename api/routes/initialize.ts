import { Hono } from 'hono'
import { DependencyCycle, initializeWorkflow } from '../../db/initialize.ts'
import { recordInitialized } from '../../db/record-initialized.ts'
import type { AppEnv, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { runTask, taskReply } from './tasks.ts'

/** Makes a workflow ready to run. */
export function initializeRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/initialize_jobs', async c => {
    const id = pathInteger(c, 'id')
    const { only_uninitialized: onlyUninitialized = false, async: asTask = false } = readQuery(c, {
      only_uninitialized: 'boolean',
      clear_ephemeral_user_data: 'boolean',
      async: 'boolean',
    })
    const user = c.var.user
    const work = async () => {
      await initialize(services, id, { onlyUninitialized, now: clock(), user })
      await recordInitialized(db, id)
    }
    if (asTask) {
      const task = await runTask(services, {
        workflowId: id,
        operation: 'initialize_jobs',
        parameters: { only_uninitialized: onlyUninitialized },
        user,
        work,
      })
      return c.json(taskReply(task), 202)
    }
    await db.read(() => needWorkflow(id))
    await work()
    return c.json({ message: `Initialized workflow ${id}` })
  })
  return routes
}

async function initialize(
  { db }: Services,
  id: number,
  options: Parameters<typeof initializeWorkflow>[2],
): Promise<void> {
  try {
    await initializeWorkflow(db, id, options)
  } catch (error) {
    if (!(error instanceof DependencyCycle)) throw error
    throw new AppError('invalid', error.message, { field: 'depends_on_job_ids', cycle: error.names })
  }
}
