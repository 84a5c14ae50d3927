import type { Migration } from '../migrate.ts'

/** What was in an output when its job ended, where its runner was asked to look: of no use once the file has another time. */
export const fileDigests: Migration = {
  version: 12,
  name: 'file-digests',
  statements: ['ALTER TABLE file ADD COLUMN size_bytes INTEGER', 'ALTER TABLE file ADD COLUMN sha256 TEXT'],
}
