import type { Migration } from '../migrate.ts'

/** What leases and retries need: the earliest end of a node's leases, jobs that wait out a pause, and attempts that were tried again. */
export const leases: Migration = {
  version: 5,
  name: 'leases',
  statements: [
    // Claimed ahead of a free slot and not started: such a job of a runner that is gone is handed out again as if nothing had been.
    'ALTER TABLE job ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0',
    // A ready job that nobody gets before this moment: the pause before its next attempt.
    'ALTER TABLE job ADD COLUMN waits_until INTEGER',
    'DROP INDEX job_ready',
    'CREATE INDEX job_ready ON job(workflow_id, class_id, priority DESC, id) WHERE status = 2 AND waits_until IS NULL',
    'CREATE INDEX job_waiting ON job(waits_until) WHERE waits_until IS NOT NULL',

    // One row per node with leases, never later than the end of its earliest lease: claims look here instead of at an index over all
    // leased jobs, which every claim and completion would have to keep.
    'CREATE TABLE node_lease (compute_node_id INTEGER PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT',
    'CREATE INDEX node_lease_by_end ON node_lease(expires_at)',
    `INSERT INTO node_lease SELECT compute_node_id, min(lease_expires_at) FROM job
     WHERE compute_node_id IS NOT NULL AND lease_expires_at IS NOT NULL GROUP BY compute_node_id`,

    // Failed attempts that are tried again: why, what they had asked for, what the next one asks for, and what its recovery script did.
    `CREATE TABLE retried_attempt (
      job_id INTEGER NOT NULL,
      run_id INTEGER NOT NULL,
      attempt_id INTEGER NOT NULL,
      failure_class TEXT NOT NULL,
      return_code INTEGER NOT NULL,
      pause_ms INTEGER NOT NULL,
      memory_bytes INTEGER NOT NULL,
      runtime_seconds REAL NOT NULL,
      next_memory_bytes INTEGER NOT NULL,
      next_runtime_seconds REAL NOT NULL,
      recovery_script TEXT,
      recovery_return_code INTEGER,
      recovery_message TEXT,
      PRIMARY KEY (job_id, run_id, attempt_id)
    ) STRICT, WITHOUT ROWID`,
  ],
}
