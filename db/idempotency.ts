import { all, one, run, type Unit } from './unit.ts'

/** How long a reply is kept for a repeat of its request. */
const KEPT_MS = 24 * 3_600_000
/** Replies removed in one transaction: some are as large as the hundred thousand jobs they list. */
const PURGED_AT_ONCE = 20

/** Whose request it is, under which key, and its fingerprint. */
export type RequestKey = { user: string; key: string; request: string }

/** Finds the reply to an earlier request of this user with this key; `request` tells whether it was the same one. */
export function* findReply(
  { user, key }: RequestKey,
  now: number,
): Unit<{ request: string; reply: string } | undefined> {
  return yield* one(
    'SELECT request, reply FROM idempotency WHERE user = ? AND key = ? AND created_at > ?',
    user,
    key,
    now - KEPT_MS,
  )
}

/** Keeps a reply; call it in the transaction that did the work, so that there is never one without the other. */
export function* keepReply({ user, key, request }: RequestKey, reply: string, now: number): Unit<void> {
  yield* run('INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)', user, key, request, reply, now)
}

/** Forgets some of the replies that are too old and tells how many; 0 when none is left. */
export function* purgeReplies(now: number): Unit<number> {
  const gone = yield* all<unknown>(
    `DELETE FROM idempotency WHERE rowid IN (SELECT rowid FROM idempotency WHERE created_at <= ? LIMIT ${PURGED_AT_ONCE}) RETURNING 1`,
    now - KEPT_MS,
  )
  return gone.length
}

/** Whether some reply is too old. */
export function* hasOldReplies(now: number): Unit<boolean> {
  return (yield* one('SELECT 1 FROM idempotency WHERE created_at <= ? LIMIT 1', now - KEPT_MS)) !== undefined
}
