import type { Fence } from '../../db/access-control.ts'
import type { TokenRow } from '../../db/tokens.ts'
import type { TokenScope } from '../core/token-scopes.ts'

/** What a token allows, to whom and where. */
export type Grant = {
  tokenId: number
  /** Whose rights it has; null: those of its scopes alone. */
  user: string | null
  scopes: readonly TokenScope[]
  fence: Fence | undefined
  /** Epoch milliseconds; null: it has no end. */
  expiresAt: number | null
}

/** Reads a stored token; scopes were checked when it was made. */
export function grantOf(row: TokenRow): Grant {
  const { workflow_id: workflowId, project } = row
  return {
    tokenId: row.id,
    user: row.user_name,
    scopes: scopesOf(row),
    fence: workflowId === null && project === null ? undefined : { workflowId, project },
    expiresAt: row.expires_at,
  }
}

export const scopesOf = (row: Pick<TokenRow, 'scopes'>): TokenScope[] => row.scopes.split(',') as TokenScope[]
