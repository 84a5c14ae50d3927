import { insertToken, type NewToken, rotateToken, type TokenRow } from '../../db/tokens.ts'
import type { Db } from '../../db/unit.ts'
import type { MadeToken } from '../contract/token.ts'
import { formatToken } from '../core/token-text.ts'
import { tokenReply } from './reply.ts'
import { hashSecret, newSecret } from './secret.ts'

type Made = Promise<MadeToken>
type Making = { db: Db; clock: () => number }

/** Makes a token. Its text is in this reply and nowhere else: what is stored cannot be turned back into it. */
export async function makeToken({ db, clock }: Making, token: Omit<NewToken, 'secret_hash'>): Made {
  const secret = newSecret()
  const secret_hash = await hashSecret(secret)
  const row = await db.write(() => insertToken({ ...token, secret_hash }))
  return madeReply(row, secret, clock())
}

/** Gives a token another secret; the old one opens for some time more. */
export async function renewToken({ db, clock }: Making, id: number, graceMs: number): Made {
  const secret = newSecret()
  const hash = await hashSecret(secret)
  const row = await db.write(() => rotateToken(id, hash, clock() + graceMs))
  return madeReply(row, secret, clock())
}

const madeReply = (row: TokenRow, secret: string, now: number): MadeToken => ({
  ...tokenReply(row, now),
  token: formatToken({ id: row.id, secret }),
})
