import { Hono } from 'hono'
import type { AppEnv } from '../context.ts'
import { workflowJsonSchema } from '../core/spec/json-schema.ts'

/** `GET /workflow.schema.json`: what an editor needs to check a workflow file and to explain its keys while it is written. */
export function specSchemaRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/workflow.schema.json', c =>
    c.body(JSON.stringify(workflowJsonSchema()), 200, { 'content-type': 'application/schema+json' }),
  )
  return routes
}
