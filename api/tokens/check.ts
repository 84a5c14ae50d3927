import { findToken, LAST_USE_STEP_MS, noteTokenUse, type TokenRow } from '../../db/tokens.ts'
import type { Db } from '../../db/unit.ts'
import { equalInConstantTime } from '../access-credentials.ts'
import { parseToken } from '../core/token-text.ts'
import { type Grant, grantOf } from './grant.ts'
import { hashSecret } from './secret.ts'

/** How long a token is believed without another look: a revocation takes effect within this time at every instance, at once at its own. */
export const BELIEVED_MS = 10_000
/** Tokens remembered; the oldest go first. */
const MOST_REMEMBERED = 10_000

export type Checked = { grant: Grant } | { fault: TokenFault }
/** Only who has the right secret is told that it has ended. */
export type TokenFault = 'unknown' | 'expired' | 'revoked'

export type TokenCheck = {
  /** What this very text was found to allow a moment ago; undefined when it has to be looked up. */
  recall(text: string): Grant | undefined
  /** Looks a token up, whatever is remembered. */
  check(text: string): Promise<Checked>
  /** Looks every token up again: some were changed. */
  forget(): void
}

type Remembered = { text: string; grant: Grant; until: number }

/** Stands in for the hash of a token that does not exist: no secret has it. */
const NO_HASH = '0'.repeat(64)

/**
 * Finds out what tokens allow. One that was proven is compared with its own text for a while, which costs a hundredth of hashing it; all
 * others take the same steps (one look-up, one hash, one comparison), whether they exist or not. It shares no promise between requests,
 * as Workers demand (platform.md 5.2).
 */
export function createTokenCheck({ db, clock }: { db: Db; clock: () => number }): TokenCheck {
  const remembered = new Map<number, Remembered>()
  let generation = 0

  function remember(id: number, known: Remembered): void {
    remembered.delete(id)
    remembered.set(id, known)
    if (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value!)
  }

  return {
    recall(text) {
      const known = remembered.get(idIn(text))
      const isProven = known !== undefined && equalInConstantTime(text, known.text) && known.until > clock()
      return isProven ? known.grant : undefined
    },
    async check(text) {
      const parts = parseToken(text)
      if (parts === undefined) return { fault: 'unknown' }
      const now = clock()
      const asked = generation
      const row = await db.read(() => findToken(parts.id))
      const endsAt = secretEnd(row, await hashSecret(parts.secret), now)
      if (row === undefined || endsAt === undefined) return { fault: 'unknown' }
      if (row.revoked_at !== null) return { fault: 'revoked' }
      if (endsAt <= now) return { fault: 'expired' }
      const grant = grantOf(row)
      // What was revoked between the look and now is not remembered as if it were not.
      if (asked === generation) remember(row.id, { text, grant, until: Math.min(now + BELIEVED_MS, endsAt) })
      await noteUse(db, row, now)
      return { grant }
    },
    forget() {
      generation++
      remembered.clear()
    },
  }
}

/** Only where to look: the whole text is compared before anything is believed. */
const idIn = (text: string): number => Number(text.slice(3, text.indexOf('_', 3)))

/** Until when this secret opens the token; undefined when it never did. Both hashes are compared whatever the first says. */
function secretEnd(row: TokenRow | undefined, hash: string, now: number): number | undefined {
  const isCurrent = equalInConstantTime(hash, row?.secret_hash ?? NO_HASH)
  const isPrevious = equalInConstantTime(hash, row?.previous_hash ?? NO_HASH)
  const end = row?.expires_at ?? Number.POSITIVE_INFINITY
  if (isCurrent) return end
  const previousEnd = row?.previous_until ?? 0
  return isPrevious && previousEnd > now ? Math.min(end, previousEnd) : undefined
}

/** Trouble with this must not keep anybody out: on a full disk tokens still open. */
async function noteUse(db: Db, { id, last_used_at }: TokenRow, now: number): Promise<void> {
  if (last_used_at !== null && now - last_used_at < LAST_USE_STEP_MS) return
  await db.write(() => noteTokenUse(id, now)).catch(() => undefined)
}
