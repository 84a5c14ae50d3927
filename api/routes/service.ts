import { Hono } from 'hono'
import type { AppEnv, Services } from '../context.ts'

/** The newer of the two contracts served. Clients stop only at another major number (contract/notes.md 19.1). */
const API_VERSION = '0.23.0'
const CONTRACT_PROGRAM = '1.0.0'

/** Operations about the server itself. */
export function serviceRoutes({ version }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/ping', c => c.json({ status: 'ok' }))
  // git_hash must be there: its absence tells clients that access control is enforced (6.4).
  routes.get('/version', c =>
    c.json({
      version: `${CONTRACT_PROGRAM} (headrace ${version})`,
      api_version: API_VERSION,
      git_hash: `headrace-${version}`,
    }),
  )
  return routes
}
