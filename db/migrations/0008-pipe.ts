import type { Migration } from '../migrate.ts'

/**
 * Pipe mode: arrays of a batch scheduler whose elements all run the same runner. A submission is stored before the scheduler is asked,
 * so that a crash in between leaves a name to look for.
 */
export const pipe: Migration = {
  version: 8,
  name: 'pipe',
  statements: [
    `CREATE TABLE pipe_run (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL REFERENCES workflow(id) ON DELETE CASCADE,
      state TEXT NOT NULL CHECK (state IN
        ('staged', 'submitted', 'active', 'ingesting', 'completed', 'partial', 'failed', 'canceled')),
      state_since INTEGER NOT NULL,
      -- Why it failed or was canceled.
      reason TEXT,
      scheduler TEXT NOT NULL,
      directory TEXT NOT NULL,
      -- What its members have in common (api/core/pipe/key.ts), and everything an element is started with: fixed at staging.
      key TEXT NOT NULL,
      spec TEXT NOT NULL,
      width INTEGER NOT NULL CHECK (width > 0),
      throttle INTEGER CHECK (throttle > 0),
      array_most INTEGER CHECK (array_most > 0),
      walltime_seconds INTEGER NOT NULL CHECK (walltime_seconds > 0),
      grace_seconds INTEGER NOT NULL CHECK (grace_seconds >= 0),
      created_at INTEGER NOT NULL,
      paused_reason TEXT,
      paused_at INTEGER,
      -- Reconciliations that went wrong in a row.
      strikes INTEGER NOT NULL DEFAULT 0,
      last_error TEXT,
      -- Files of the run directory that could not be read, as a JSON list.
      unreadable TEXT NOT NULL DEFAULT '[]',
      post_step TEXT,
      post_state TEXT NOT NULL DEFAULT 'none' CHECK (post_state IN ('none', 'due', 'running', 'ended')),
      post_by TEXT,
      post_return_code INTEGER
    ) STRICT`,
    'CREATE INDEX pipe_run_by_workflow ON pipe_run(workflow_id)',

    `CREATE TABLE pipe_member (
      pipe_run_id INTEGER NOT NULL REFERENCES pipe_run(id) ON DELETE CASCADE,
      job_id INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
      PRIMARY KEY (pipe_run_id, job_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX pipe_member_by_job ON pipe_member(job_id)',

    `CREATE TABLE pipe_submission (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      pipe_run_id INTEGER NOT NULL REFERENCES pipe_run(id) ON DELETE CASCADE,
      -- How the scheduler knows it, whatever became of its answer.
      name TEXT NOT NULL UNIQUE,
      state TEXT NOT NULL CHECK (state IN ('intended', 'submitted', 'refused', 'gone')),
      width INTEGER NOT NULL CHECK (width > 0),
      reason TEXT NOT NULL,
      -- What the decision looked at, as JSON.
      inputs TEXT NOT NULL,
      decided_at INTEGER NOT NULL,
      acknowledged_at INTEGER,
      scheduler_id TEXT,
      liveness TEXT NOT NULL DEFAULT 'unknown' CHECK (liveness IN ('alive', 'gone', 'unknown')),
      misses INTEGER NOT NULL DEFAULT 0,
      listed_at INTEGER,
      queued INTEGER NOT NULL DEFAULT 0,
      running INTEGER NOT NULL DEFAULT 0,
      has_registered INTEGER NOT NULL DEFAULT 0,
      -- The scheduler's own words, and the end of what a stillborn array has printed.
      message TEXT
    ) STRICT`,
    'CREATE INDEX pipe_submission_by_run ON pipe_submission(pipe_run_id)',

    // A compute node that is listed here gets no job but the members of its run.
    `CREATE TABLE pipe_runner (
      compute_node_id INTEGER PRIMARY KEY REFERENCES compute_node(id) ON DELETE CASCADE,
      pipe_run_id INTEGER NOT NULL REFERENCES pipe_run(id) ON DELETE CASCADE,
      worker INTEGER NOT NULL CHECK (worker > 0),
      submission TEXT,
      heard_at INTEGER NOT NULL
    ) STRICT`,
    'CREATE INDEX pipe_runner_by_run ON pipe_runner(pipe_run_id)',
  ],
}
