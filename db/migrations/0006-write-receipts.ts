import type { Migration } from '../migrate.ts'

/** What a write through a libSQL server leaves behind, so that a lost answer is no question (db/open-remote.ts). Empty on a file. */
export const writeReceipts: Migration = {
  version: 6,
  name: 'write-receipts',
  statements: [
    'CREATE TABLE write_receipt (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID',
    'CREATE INDEX write_receipt_by_time ON write_receipt(at)',
  ],
}
