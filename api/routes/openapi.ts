import { Hono } from 'hono'
import type { AppEnv } from '../context.ts'

/** Pages need no script and load nothing: a page that does is not ours. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** What the API is, for programs and for people. Mounted at the top, beside the versions of the API. */
export function openApiRoutes(version: string): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  // Loaded when somebody asks: a runner with its own control plane never does.
  routes.get('/openapi.json', async c => {
    const { openApiDocument } = await import('../openapi/document.ts')
    return c.json(openApiDocument(version))
  })

  routes.get('/docs', async c => {
    const { openApiDocument } = await import('../openapi/document.ts')
    const { openApiPage } = await import('../openapi/page.ts')
    c.header('Content-Security-Policy', PAGE_POLICY)
    return c.html(openApiPage(openApiDocument(version)))
  })
  return routes
}
