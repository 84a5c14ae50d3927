import type { Migration } from '../migrate.ts'

/** What callers show instead of a password, and who changed what about the server. */
export const tokens: Migration = {
  version: 10,
  name: 'tokens',
  statements: [
    `CREATE TABLE token (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      -- SHA-256 of the secret: the secret itself is told once, to whoever made it.
      secret_hash TEXT NOT NULL,
      -- After a rotation the secret before it, for as long as it still opens.
      previous_hash TEXT,
      previous_until INTEGER,
      -- Words of api/core/token-scopes.ts, separated by commas.
      scopes TEXT NOT NULL,
      -- Whose rights it has; null: those of its scopes alone.
      user_name TEXT,
      -- Where it opens; null: everywhere.
      workflow_id INTEGER,
      project TEXT,
      -- The token it was made with, whose end is its end.
      parent_id INTEGER,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER,
      last_used_at INTEGER
    ) STRICT`,
    'CREATE INDEX token_by_parent ON token(parent_id) WHERE parent_id IS NOT NULL',
    'CREATE INDEX token_by_expiry ON token(expires_at) WHERE expires_at IS NOT NULL',
    'CREATE INDEX token_by_revocation ON token(revoked_at) WHERE revoked_at IS NOT NULL',

    'CREATE INDEX workflow_by_project ON workflow(project) WHERE project IS NOT NULL',

    // Apart from admin_audit, which the contract keeps for statements of SQL.
    `CREATE TABLE admin_call (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      timestamp INTEGER NOT NULL,
      user_name TEXT NOT NULL,
      token_id INTEGER,
      operation TEXT NOT NULL,
      detail TEXT
    ) STRICT`,
  ],
}
