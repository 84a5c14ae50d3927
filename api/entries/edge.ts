import { migrate, NewerDatabase, needsMigration } from '../../db/migrate.ts'
import { isRemoteUrl, openRemote } from '../../db/open-remote.ts'
import { tick } from '../../db/tick.ts'
import { createApp } from '../app.ts'
import type { AppRequest } from '../context.ts'
import { AppError } from '../errors.ts'
import { withFairLeases } from '../fair-leases.ts'
import { HEALTH_PATH } from '../health.ts'
import { refusalOf } from '../refusal.ts'
import { deliverWebhooks, type Post } from '../webhooks/deliver.ts'
import type { WebhookPolicy } from '../webhooks/policy.ts'

/** What a deployment says of itself: the variables of docs/deploy.md. */
export type EdgeEnv = {
  /** libsql://, https:// or http:// address of the database. */
  HEADRACE_DB_URL?: string
  HEADRACE_DB_TOKEN?: string
  /** What callers have to show. */
  HEADRACE_TOKEN?: string
  /** Hosts that webhooks may point to, with blanks or commas between them; none: no webhooks. */
  HEADRACE_WEBHOOK_HOSTS?: string
  /** `true`: plain HTTP and addresses that are not public too. */
  HEADRACE_WEBHOOK_INSIDE?: string
}

export type EdgeOptions = {
  version: string
  /** No request may wait for what another one has begun: Workers would call it hung (platform.md 5.2). */
  requestsApart: boolean
  /** How this runtime calls the receivers of webhooks. */
  createPost(policy: WebhookPolicy): Post
}

export type Edge = {
  /** `address`: where the request comes from, as the runtime tells it. */
  fetch(request: Request, address?: string): Promise<Response>
  /** What a timer or a cron trigger does. */
  tick(): Promise<void>
  /** Tells webhooks what has happened; the same timer or trigger does it. A slow receiver keeps it, and must not keep the tick. */
  deliver(): Promise<void>
}

/**
 * The control plane without a file: the app over a libSQL server. It keeps plain values only, no connection and no promise, so requests
 * that share it never wait for each other's. Its first request brings the schema up to date. A setting that is missing is told in every
 * reply and every tick, as 503.
 */
export function createEdge(env: EdgeEnv, { version, requestsApart, createPost }: EdgeOptions): Edge {
  const { HEADRACE_DB_URL: url = '', HEADRACE_DB_TOKEN: dbToken, HEADRACE_TOKEN: token = '' } = env
  const missing = missingSetting(url, token)
  const db = withFairLeases(openRemote({ url, token: dbToken || undefined, queue: true, requestsApart }))
  const onFault = (error: unknown) => console.error(error)
  const addressOf = (c: AppRequest) => (c.env as Origin | undefined)?.address
  const webhooks = webhookPolicy(env)
  const app = createApp({ db, version, access: { token }, addressOf, requestsApart, onFault, webhooks })
  let current = false

  async function prepare(): Promise<void> {
    if (missing !== undefined) throw new AppError('unavailable', missing)
    if (current) return
    if (await db.read(needsMigration)) await db.write(() => migrate(Date.now()))
    current = true
  }

  return {
    async fetch(request, address) {
      const origin: Origin = { address }
      // Whether the process is there does not hang on the database.
      if (new URL(request.url).pathname === HEALTH_PATH) return app.fetch(request, origin)
      try {
        await prepare()
      } catch (error) {
        const { body, status } = refusalOf(asRefusal(error), onFault)
        return Response.json(body, { status })
      }
      return app.fetch(request, origin)
    },
    async tick() {
      await prepare()
      await tick(db, Date.now())
    },
    async deliver() {
      if (webhooks === undefined) return
      await prepare()
      await deliverWebhooks({ db, clock: Date.now, post: createPost(webhooks), policy: webhooks })
    },
  }
}

/** What the app is told of a request beside the request. */
type Origin = { address: string | undefined }

const asRefusal = (error: unknown): unknown =>
  error instanceof NewerDatabase ? new AppError('unavailable', error.message) : error

function webhookPolicy({ HEADRACE_WEBHOOK_HOSTS = '', HEADRACE_WEBHOOK_INSIDE }: EdgeEnv): WebhookPolicy | undefined {
  const hosts = HEADRACE_WEBHOOK_HOSTS.toLowerCase()
    .split(/[\s,]+/)
    .filter(host => host !== '')
  return hosts.length === 0 ? undefined : { hosts, insideNetwork: HEADRACE_WEBHOOK_INSIDE === 'true' }
}

function missingSetting(url: string, token: string): string | undefined {
  if (!isRemoteUrl(url))
    return 'Cannot serve as HEADRACE_DB_URL names no database server: set it to its libsql://, https:// or http:// address'
  // Without a token anybody could have commands run.
  if (token === '') return 'Cannot serve as HEADRACE_TOKEN is not set: set it to what callers have to show'
  return undefined
}
