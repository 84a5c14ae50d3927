import type { Migration } from '../migrate.ts'

/** The nouns of the contract that the hot path does not know, and the identity of this database. */
export const restOfContract: Migration = {
  version: 2,
  name: 'rest-of-contract',
  statements: [
    // One row. A client that finds another epoch talks to another database, whatever the address says.
    'CREATE TABLE identity (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), epoch TEXT NOT NULL) STRICT',
    'INSERT INTO identity VALUES (1, lower(hex(randomblob(16))))',

    `CREATE TABLE scheduled_compute_node (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      scheduler_id INTEGER NOT NULL,
      scheduler_config_id INTEGER NOT NULL,
      scheduler_type TEXT NOT NULL,
      status TEXT NOT NULL
    ) STRICT`,
    'CREATE INDEX scheduled_compute_node_by_workflow ON scheduled_compute_node(workflow_id)',

    `CREATE TABLE local_scheduler (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      name TEXT,
      memory TEXT,
      num_cpus INTEGER
    ) STRICT`,
    'CREATE INDEX local_scheduler_by_workflow ON local_scheduler(workflow_id)',

    `CREATE TABLE ro_crate_entity (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      file_id INTEGER,
      entity_id TEXT NOT NULL,
      entity_type TEXT NOT NULL,
      metadata TEXT NOT NULL,
      -- Whether metadata came as an object (contract/notes.md 19.2).
      metadata_is_object INTEGER NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX ro_crate_entity_key ON ro_crate_entity(workflow_id, entity_id)',
    'CREATE INDEX ro_crate_entity_by_file ON ro_crate_entity(file_id) WHERE file_id IS NOT NULL',

    `CREATE TABLE slurm_stats (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      run_id INTEGER NOT NULL,
      attempt_id INTEGER NOT NULL,
      slurm_job_id TEXT,
      max_rss_bytes INTEGER,
      max_vm_size_bytes INTEGER,
      max_disk_read_bytes INTEGER,
      max_disk_write_bytes INTEGER,
      ave_cpu_seconds REAL,
      node_list TEXT
    ) STRICT`,
    'CREATE UNIQUE INDEX slurm_stats_key ON slurm_stats(workflow_id, job_id, run_id, attempt_id)',

    `CREATE TABLE remote_worker (
      workflow_id INTEGER NOT NULL,
      worker TEXT NOT NULL,
      PRIMARY KEY (workflow_id, worker)
    ) STRICT, WITHOUT ROWID`,

    `CREATE TABLE task (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      operation TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed')),
      -- What was asked, so that the same request joins the task and another one is refused.
      parameters TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      started_at_ms INTEGER,
      finished_at_ms INTEGER,
      error TEXT
    ) STRICT`,
    `CREATE UNIQUE INDEX task_active ON task(workflow_id) WHERE status IN ('queued', 'running')`,
  ],
}
