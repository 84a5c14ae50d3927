import { Hono } from 'hono'
import { deleteRemoteWorker, insertRemoteWorkers, listRemoteWorkers } from '../../db/remote-workers.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewRemoteWorkers } from '../contract/remote-worker.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { needWorkflow } from './guards.ts'

/** Machines that a user's own tools start runners on, kept for them by name. */
export function remoteWorkerRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/remote_workers', async c => {
    const id = pathInteger(c, 'id')
    const workers = await readBody(c, NewRemoteWorkers)
    await db.write(function* () {
      yield* needWorkflow(id)
      yield* insertRemoteWorkers(id, workers)
    })
    return c.json(workers.map(worker => ({ worker, workflow_id: id })))
  })

  routes.get('/workflows/:id/remote_workers', async c => {
    const id = pathInteger(c, 'id')
    const rows = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listRemoteWorkers(id)
    })
    return c.json(rows)
  })

  // Hono has percent-decoded the segment.
  routes.delete('/workflows/:id/remote_workers/:worker', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      return yield* deleteRemoteWorker(id, c.req.param('worker'))
    })
    if (row === undefined) throw new AppError('not_found', `Remote worker not found in workflow ${id}`)
    return c.json(row)
  })
  return routes
}
