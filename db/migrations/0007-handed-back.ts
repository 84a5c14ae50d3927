import type { Migration } from '../migrate.ts'

/** Jobs that a node cannot run for want of something it does not have, and says so. */
export const handedBack: Migration = {
  version: 7,
  name: 'handed-back',
  statements: [
    `CREATE TABLE handed_back (
      compute_node_id INTEGER NOT NULL,
      job_id INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
      reason TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (compute_node_id, job_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX handed_back_by_job ON handed_back(job_id)',
    'CREATE INDEX handed_back_by_age ON handed_back(at)',
  ],
}
