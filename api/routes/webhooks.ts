import { Hono } from 'hono'
import type { Unit } from '../../db/unit.ts'
import {
  deleteWebhook,
  enableWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  type WebhookRow,
} from '../../db/webhooks.ts'
import { needSystemAdmin } from '../access-rules.ts'
import { readBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { NewWebhook, type Webhook } from '../contract/webhook.ts'
import { AppError, missing } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { refusalOfUrl, type WebhookPolicy } from '../webhooks/policy.ts'
import { newWebhookSecret } from '../webhooks/sign.ts'
import { needWorkflow } from './guards.ts'

/** Whose hooks a call is about: a workflow's, of which its members decide, or those of all, of which administrators do. */
type Owner = (c: AppRequest) => { workflowId: number | null; need(): Unit<unknown> }

const OWNERS: readonly { path: string; owner: Owner }[] = [
  { path: '/webhooks', owner: c => ({ workflowId: null, need: () => needSystemAdmin(c.var.subject) }) },
  {
    path: '/workflows/:id/webhooks',
    owner: c => {
      const workflowId = pathInteger(c, 'id')
      return { workflowId, need: () => needWorkflow(workflowId) }
    },
  },
]

export function webhookRoutes({ db, clock, webhooks }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  for (const { path, owner } of OWNERS) {
    routes.post(path, async c => {
      const { workflowId, need } = owner(c)
      await db.read(need)
      const { url, secret = newWebhookSecret(), events } = await readBody(c, NewWebhook)
      refuse(url, webhooks)
      const row = await db.write(() =>
        insertWebhook({
          workflow_id: workflowId,
          url: new URL(url).href,
          secret: secret ?? newWebhookSecret(),
          events: events == null ? null : JSON.stringify(events),
          created_at: clock(),
          created_by: c.var.user,
        }),
      )
      c.set('changed', `webhook ${row.id} ${JSON.stringify({ url: row.url, workflow_id: workflowId })}`)
      return c.json({ ...reply(row), secret: row.secret })
    })

    routes.get(path, async c => {
      const { workflowId, need } = owner(c)
      const rows = await db.read(function* () {
        yield* need()
        return yield* listWebhooks(workflowId)
      })
      return c.json({ items: rows.map(reply), count: rows.length })
    })

    routes.post(`${path}/:webhook_id/enable`, async c => {
      const { workflowId, need } = owner(c)
      const id = pathInteger(c, 'webhook_id')
      const row = await db.write(function* () {
        yield* need()
        yield* needWebhook(id, workflowId)
        yield* enableWebhook(id)
        return yield* needWebhook(id, workflowId)
      })
      return c.json(reply(row))
    })

    routes.delete(`${path}/:webhook_id`, async c => {
      const { workflowId, need } = owner(c)
      const id = pathInteger(c, 'webhook_id')
      const row = await db.write(function* () {
        yield* need()
        const found = yield* needWebhook(id, workflowId)
        yield* deleteWebhook(id)
        return found
      })
      c.set('changed', `webhook ${id} removed`)
      return c.json(reply(row))
    })
  }
  return routes
}

function* needWebhook(id: number, workflowId: number | null): Unit<WebhookRow> {
  const row = yield* findWebhook(id, workflowId)
  if (row === undefined) throw missing('Webhook', id)
  return row
}

function refuse(url: string, policy: WebhookPolicy | undefined): void {
  if (policy === undefined)
    throw new AppError(
      'invalid',
      'Cannot make the webhook as this server delivers none: start it with --webhook-host, or HEADRACE_WEBHOOK_HOSTS on Deno and Workers',
    )
  const refusal = refusalOfUrl(url, policy)
  if (refusal !== undefined) throw new AppError('invalid', `Cannot use the address as ${refusal}`, { field: 'url' })
}

const reply = (row: WebhookRow): Webhook => ({
  id: row.id,
  workflow_id: row.workflow_id ?? undefined,
  url: row.url,
  events: row.events === null ? undefined : JSON.parse(row.events),
  is_enabled: row.is_enabled === 1,
  created_at: time(row.created_at)!,
  created_by: row.created_by,
  delivered_at: time(row.delivered_at),
  failures: row.failures,
  failing_since: time(row.failing_since),
  last_error: row.last_error ?? undefined,
})

const time = (ms: number | null): string | undefined => (ms === null ? undefined : new Date(ms).toISOString())
