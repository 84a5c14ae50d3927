import { findToken } from '../../db/tokens.ts'
import type { Db } from '../../db/unit.ts'
import { BELIEVED_MS } from './check.ts'
import type { Grant } from './grant.ts'

/** Tells again and again whether a token still opens, for requests that go on for hours. As late as any other request would hear of it. */
export function createStillOpens({ tokenDb, clock }: { tokenDb: Db; clock: () => number }, grant: Grant | undefined) {
  let believedUntil = clock() + BELIEVED_MS
  return async (): Promise<boolean> => {
    const now = clock()
    if (grant === undefined) return true
    if (grant.expiresAt !== null && grant.expiresAt <= now) return false
    if (now < believedUntil) return true
    believedUntil = now + BELIEVED_MS
    const row = await tokenDb.read(() => findToken(grant.tokenId))
    return row !== undefined && row.revoked_at === null
  }
}
