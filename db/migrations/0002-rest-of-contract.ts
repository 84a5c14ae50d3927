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

    // Workflow actions count where the status changes, so that no way of changing it is forgotten (contract/notes.md 12.2). Numbers are
    // those of api/core/status.ts. A job becomes ready by unblocking only; retries and releases do not count again.
    `CREATE TRIGGER action_jobs_ready AFTER UPDATE OF status ON job
     WHEN OLD.status = 1 AND NEW.status = 2 AND EXISTS (SELECT 1 FROM action_job WHERE job_id = NEW.id) BEGIN
      UPDATE action SET trigger_count = trigger_count + 1
      WHERE id IN (SELECT action_id FROM action_job WHERE job_id = NEW.id)
        AND trigger_type = 'on_jobs_ready' AND trigger_count < required_triggers;
    END`,
    `CREATE TRIGGER action_jobs_complete AFTER UPDATE OF status ON job
     WHEN NEW.status IN (5, 6, 7, 8) AND OLD.status NOT IN (5, 6, 7, 8) AND EXISTS (SELECT 1 FROM action_job WHERE job_id = NEW.id) BEGIN
      UPDATE action SET trigger_count = trigger_count + 1
      WHERE id IN (SELECT action_id FROM action_job WHERE job_id = NEW.id)
        AND trigger_type = 'on_jobs_complete' AND trigger_count < required_triggers
        AND (SELECT is_canceled FROM workflow WHERE id = NEW.workflow_id) = 0;
    END`,
    // A counter of open jobs has reached zero; complete when all have. Never by canceling the workflow: runners do not run it then.
    `CREATE TRIGGER action_workflow_complete AFTER UPDATE OF n ON workflow_count
     WHEN NEW.n = 0 AND OLD.n > 0 AND NEW.status IN (0, 1, 2, 3, 4, 10) BEGIN
      UPDATE action SET trigger_count = trigger_count + 1
      WHERE workflow_id = NEW.workflow_id AND trigger_type = 'on_workflow_complete' AND trigger_count < required_triggers
        AND (SELECT is_canceled FROM workflow WHERE id = NEW.workflow_id) = 0
        AND NOT EXISTS (SELECT 1 FROM workflow_count
          WHERE workflow_id = NEW.workflow_id AND n > 0 AND status IN (0, 1, 2, 3, 4, 10));
    END`,
  ],
}
