import { Hono } from 'hono'
import type { AppEnv, Services } from '../context.ts'

/** The newer of the two contracts served. Clients stop only at another major number (contract/notes.md 19.1). */
const API_VERSION = '0.23.0'
const CONTRACT_PROGRAM = '1.0.0'

/** Operations about the server itself. */
export function serviceRoutes({ version, access }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/ping', c => c.json({ status: 'ok' }))
  // The absence of git_hash tells clients that access control is enforced (6.4).
  const build = access?.enforce ? {} : { git_hash: `headrace-${version}` }
  routes.get('/version', c =>
    c.json({
      version: `${CONTRACT_PROGRAM} (headrace ${version})`,
      api_version: API_VERSION,
      ...build,
    }),
  )
  return routes
}
