import type { TokenRow } from '../../db/tokens.ts'
import type { Token } from '../contract/token.ts'
import { scopesOf } from './grant.ts'

/** A token as anybody may see it who administers the server: neither its secret nor a hash of it. */
export function tokenReply(row: TokenRow, now: number): Token {
  const reply: Token = {
    id: row.id,
    name: row.name,
    scopes: scopesOf(row),
    status: statusOf(row, now),
    created_at: moment(row.created_at),
    created_by: row.created_by,
  }
  if (row.user_name !== null) reply.user = row.user_name
  if (row.workflow_id !== null) reply.workflow_id = row.workflow_id
  if (row.project !== null) reply.project = row.project
  if (row.parent_id !== null) reply.parent_id = row.parent_id
  if (row.expires_at !== null) reply.expires_at = moment(row.expires_at)
  if (row.revoked_at !== null) reply.revoked_at = moment(row.revoked_at)
  if (row.last_used_at !== null) reply.last_used_at = moment(row.last_used_at)
  if (row.previous_until !== null && row.previous_until > now) reply.previous_until = moment(row.previous_until)
  return reply
}

function statusOf({ revoked_at, expires_at }: TokenRow, now: number): Token['status'] {
  if (revoked_at !== null) return 'revoked'
  return expires_at !== null && expires_at <= now ? 'expired' : 'active'
}

const moment = (epochMs: number): string => new Date(epochMs).toISOString()
