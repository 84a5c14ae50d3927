import { Hono } from 'hono'
import type { AppEnv, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { listReply, PAGING, pageOf, readQuery } from '../query.ts'

/** Operations of the contract that stay closed here (contract/notes.md 6.4, 19.12): there are no password files, and no SQL from outside. */
export function adminRoutes(_services: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/admin/reload-auth', () => {
    throw new AppError('invalid', 'Cannot reload the password file as this server has none')
  })

  routes.post('/admin/sql', () => {
    throw new AppError('forbidden', 'admin SQL is disabled on this server')
  })

  routes.get('/admin/audit-log', c => c.json(listReply([], 0, pageOf(readQuery(c, PAGING), 'clamp'))))
  return routes
}
