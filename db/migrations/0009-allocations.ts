import type { Migration } from '../migrate.ts'

/**
 * Elastic allocations: what a user wants to use of a cluster, every request that was made for it, and who sees to it now. A request's
 * row is written before the scheduler is asked, so that a crash in between leaves a name to look for.
 */
export const allocations: Migration = {
  version: 9,
  name: 'allocations',
  statements: [
    `CREATE TABLE allocation_plan (
      id INTEGER PRIMARY KEY,
      workflow_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      config TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'stopped')),
      since INTEGER NOT NULL,
      pauses TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      UNIQUE (workflow_id, name)
    ) STRICT`,
    `CREATE TABLE allocation (
      id INTEGER PRIMARY KEY,
      workflow_id INTEGER NOT NULL,
      plan TEXT NOT NULL,
      name TEXT NOT NULL UNIQUE,
      scheduler_type TEXT NOT NULL,
      cluster TEXT NOT NULL,
      queue TEXT NOT NULL,
      width INTEGER NOT NULL,
      nodes INTEGER NOT NULL,
      cores INTEGER NOT NULL,
      memory_bytes INTEGER NOT NULL,
      gpus INTEGER NOT NULL,
      walltime_seconds INTEGER NOT NULL,
      directory TEXT NOT NULL,
      state TEXT NOT NULL,
      scheduler_id TEXT,
      scheduled_compute_node_id INTEGER,
      message TEXT,
      reason TEXT,
      created_at INTEGER NOT NULL,
      submitted_at INTEGER,
      started_at INTEGER,
      ended_at INTEGER,
      unneeded_since INTEGER
    ) STRICT`,
    'CREATE INDEX allocation_by_workflow ON allocation(workflow_id, plan, id)',
    'CREATE INDEX allocation_by_queue ON allocation(cluster, queue, created_at)',
    `CREATE TABLE duty (
      workflow_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      holder TEXT,
      expires_at INTEGER NOT NULL,
      state TEXT,
      PRIMARY KEY (workflow_id, name)
    ) STRICT, WITHOUT ROWID`,
  ],
}
