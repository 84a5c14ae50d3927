import * as v from 'valibot'
import { isWebhookSecret } from '../core/webhook-secret.ts'
import { integer, optional, text } from './fields.ts'

const eventType = v.pipe(text, v.regex(/^[a-z_]{1,64}$/, 'must be the name of an event, such as workflow_ended'))

export const NewWebhook = v.object({
  url: v.pipe(text, v.maxLength(2_000, 'must have 2,000 characters at most')),
  /** What deliveries are signed with; made up when it is not given. */
  secret: optional(v.pipe(text, v.check(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes in Base64'))),
  /** Types of events to tell; all of them when it is not given. */
  events: optional(
    v.pipe(v.array(eventType), v.nonEmpty('must name an event'), v.maxLength(100, 'must name 100 at most')),
  ),
})

/** A webhook as replies show it; only the reply that made it shows its secret. */
export const Webhook = v.object({
  id: integer,
  workflow_id: v.optional(integer),
  url: text,
  secret: v.optional(text),
  events: v.optional(v.array(text)),
  is_enabled: v.boolean(),
  created_at: text,
  created_by: text,
  delivered_at: v.optional(text),
  failures: integer,
  failing_since: v.optional(text),
  last_error: v.optional(text),
})
export type Webhook = v.InferOutput<typeof Webhook>
