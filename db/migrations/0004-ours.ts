import type { Migration } from '../migrate.ts'

/** What operations of ours need beside the contract: pages by status at any size, and replies to repeated requests. */
export const ours: Migration = {
  version: 4,
  name: 'ours',
  statements: [
    // Lists and selectors by status read what they show, not the workflow. It costs claims and completions a few of a hundred.
    'CREATE INDEX job_by_status ON job(workflow_id, status)',

    // Without it a page of results reads all jobs that have none.
    'CREATE INDEX result_by_workflow ON result(workflow_id)',
    'CREATE INDEX slurm_stats_by_workflow ON slurm_stats(workflow_id)',
    'CREATE INDEX ro_crate_entity_by_workflow ON ro_crate_entity(workflow_id)',

    // Replies of creating requests by the key their sender gave them, so that a repeat creates nothing (docs/api.md).
    `CREATE TABLE idempotency (
      user TEXT NOT NULL,
      key TEXT NOT NULL,
      -- Fingerprint of method, path and body: the same key with another request is a mistake of its sender.
      request TEXT NOT NULL,
      reply TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (user, key)
    ) STRICT`,
    'CREATE INDEX idempotency_by_time ON idempotency(created_at)',
  ],
}
