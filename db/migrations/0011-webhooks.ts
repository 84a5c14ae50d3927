import type { Migration } from '../migrate.ts'

/** Who is told of events, and how far. */
export const webhooks: Migration = {
  version: 11,
  name: 'webhooks',
  statements: [
    `CREATE TABLE webhook (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      -- Whose events are told; null: those of all workflows.
      workflow_id INTEGER REFERENCES workflow(id) ON DELETE CASCADE,
      url TEXT NOT NULL,
      secret TEXT NOT NULL,
      -- A JSON array of event types; null: all.
      events TEXT,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      -- Deliveries that failed in a row, since when, why, and when the next is due.
      failures INTEGER NOT NULL DEFAULT 0,
      failing_since INTEGER,
      last_error TEXT,
      due_at INTEGER NOT NULL DEFAULT 0,
      delivered_at INTEGER,
      -- Given up after days of failures, until somebody enables it.
      is_enabled INTEGER NOT NULL DEFAULT 1
    ) STRICT`,
    'CREATE INDEX webhook_by_workflow ON webhook(workflow_id) WHERE workflow_id IS NOT NULL',
    `CREATE TABLE webhook_progress (
      webhook_id INTEGER NOT NULL REFERENCES webhook(id) ON DELETE CASCADE,
      workflow_id INTEGER NOT NULL,
      -- The newest event that was delivered, or passed over.
      seq INTEGER NOT NULL,
      -- The run whose end was told; -1: none.
      ended_run INTEGER NOT NULL DEFAULT -1,
      PRIMARY KEY (webhook_id, workflow_id)
    ) STRICT, WITHOUT ROWID`,
  ],
}
