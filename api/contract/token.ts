import * as v from 'valibot'
import { TOKEN_SCOPES } from '../core/token-scopes.ts'
import { integer, optional, text } from './fields.ts'

/** Names stand in tables and logs: a line of their own must not come of them. */
const name = v.pipe(
  text,
  v.nonEmpty('must not be empty'),
  v.maxLength(200, 'must have 200 characters at most'),
  v.check(given => !/\p{Cc}/u.test(given), 'must not hold control characters'),
)
const scope = v.picklist(TOKEN_SCOPES, `must be one of ${TOKEN_SCOPES.join(', ')}`)
const seconds = v.pipe(
  integer,
  v.minValue(1, 'must be >= 1'),
  v.maxValue(10 * 366 * 86_400, 'must be ten years at most'),
)

export const NewToken = v.object({
  name,
  scopes: v.pipe(
    v.array(scope),
    v.nonEmpty('must name a scope'),
    v.transform(given => [...new Set(given)]),
  ),
  /** Whose rights it has; without one it has all rights, as far as its scopes go. */
  user: optional(name),
  workflow_id: optional(integer),
  project: optional(name),
  expires_in_seconds: optional(seconds),
})
export type NewToken = v.InferOutput<typeof NewToken>

/** How long the old secret still opens, so that it can be changed everywhere meanwhile. */
export const Rotation = v.object({
  grace_seconds: optional(
    v.pipe(integer, v.minValue(0, 'must be >= 0'), v.maxValue(7 * 86_400, 'must be a week at most')),
  ),
})

/** A token for a runner, or for a job, of one workflow. */
export const NewRunnerToken = v.object({
  name: optional(name),
  kind: optional(v.picklist(['runner', 'job'], 'must be runner or job')),
  expires_in_seconds: optional(seconds),
})
export type NewRunnerToken = v.InferOutput<typeof NewRunnerToken>

/** The query of the list; `all`: those that have ended, too. */
export const TOKEN_QUERY = { offset: 'integer', limit: 'integer', all: 'boolean' } as const

/** A token as replies show it. */
export const Token = v.object({
  id: integer,
  name: text,
  scopes: v.array(scope),
  status: v.picklist(['active', 'expired', 'revoked']),
  user: v.optional(text),
  workflow_id: v.optional(integer),
  project: v.optional(text),
  parent_id: v.optional(integer),
  created_at: text,
  created_by: text,
  expires_at: v.optional(text),
  revoked_at: v.optional(text),
  last_used_at: v.optional(text),
  previous_until: v.optional(text),
})
export type Token = v.InferOutput<typeof Token>

/** The only reply that holds the token itself. */
export const MadeToken = v.object({ ...Token.entries, token: text })
export type MadeToken = v.InferOutput<typeof MadeToken>
