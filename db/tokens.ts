import { all, one, run, type Unit } from './unit.ts'

/** A token as it is stored: never its secret. */
export type TokenRow = {
  id: number
  name: string
  secret_hash: string
  previous_hash: string | null
  previous_until: number | null
  scopes: string
  user_name: string | null
  workflow_id: number | null
  project: string | null
  parent_id: number | null
  created_at: number
  created_by: string
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

export type NewToken = Pick<
  TokenRow,
  | 'name'
  | 'secret_hash'
  | 'scopes'
  | 'user_name'
  | 'workflow_id'
  | 'project'
  | 'parent_id'
  | 'created_at'
  | 'created_by'
  | 'expires_at'
>

/** Runners and jobs get tokens all the time: those that open nothing any more are kept for this long, to be asked about. */
const KEPT_MS = 30 * 86_400_000
/** How exact the moment of the last use is: a token in use must not cost a write per request. */
export const LAST_USE_STEP_MS = 600_000

export function* insertToken(token: NewToken): Unit<TokenRow> {
  const row = yield* one<TokenRow>(
    `INSERT INTO token (name, secret_hash, scopes, user_name, workflow_id, project, parent_id, created_at, created_by, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
    token.name,
    token.secret_hash,
    token.scopes,
    token.user_name,
    token.workflow_id,
    token.project,
    token.parent_id,
    token.created_at,
    token.created_by,
    token.expires_at,
  )
  return row!
}

export function* findToken(id: number): Unit<TokenRow | undefined> {
  return yield* one<TokenRow>('SELECT * FROM token WHERE id = ?', id)
}

/** The newest first; `live` leaves out those that are revoked or past their end. */
export function* listTokens(
  { offset, limit, live }: { offset: number; limit: number; live: boolean },
  now: number,
): Unit<{ rows: TokenRow[]; total: number }> {
  const where = live ? 'WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)' : 'WHERE ?1 IS NOT NULL'
  const counted = yield* one<{ n: number }>(`SELECT count(*) AS n FROM token ${where}`, now)
  const rows = yield* all<TokenRow>(
    `SELECT * FROM token ${where} ORDER BY id DESC LIMIT ?2 OFFSET ?3`,
    now,
    limit,
    offset,
  )
  return { rows, total: counted?.n ?? 0 }
}

/** The projects of all tokens that were ever used and are still kept. */
export function* listTokenProjects(): Unit<string[]> {
  const rows = yield* all<{ project: string }>(
    'SELECT DISTINCT project FROM token WHERE project IS NOT NULL AND last_used_at IS NOT NULL ORDER BY project',
  )
  return rows.map(row => row.project)
}

/** Gives a token another secret; the one before it opens until `previousUntil`. */
export function* rotateToken(id: number, secretHash: string, previousUntil: number): Unit<TokenRow> {
  const row = yield* one<TokenRow>(
    'UPDATE token SET previous_hash = secret_hash, previous_until = ?2, secret_hash = ?3 WHERE id = ?1 RETURNING *',
    id,
    previousUntil,
    secretHash,
  )
  return row!
}

/** Ends a token and all that were made with it, at any depth. One that has ended stays as it is. */
export function* revokeToken(id: number, now: number): Unit<void> {
  yield* run(
    `WITH RECURSIVE gone(id) AS (
       SELECT id FROM token WHERE id = ?1 UNION SELECT token.id FROM token JOIN gone ON token.parent_id = gone.id)
     UPDATE token SET revoked_at = ?2 WHERE id IN (SELECT id FROM gone) AND revoked_at IS NULL`,
    id,
    now,
  )
}

export function* noteTokenUse(id: number, now: number): Unit<void> {
  yield* run('UPDATE token SET last_used_at = ? WHERE id = ?', now, id)
}

const OLD = 'expires_at < ?1 OR revoked_at < ?1'

/** Whether some token has opened nothing for so long that nobody asks about it. */
export function* hasOldTokens(now: number): Unit<boolean> {
  return (yield* one(`SELECT 1 FROM token WHERE ${OLD} LIMIT 1`, now - KEPT_MS)) !== undefined
}

export function* purgeTokens(now: number): Unit<void> {
  yield* run(`DELETE FROM token WHERE ${OLD}`, now - KEPT_MS)
}
