import type { Migration } from '../migrate.ts'

/**
 * The first schema. `job` is narrow because claims and completions rewrite its rows; what a job is called and runs stands in
 * `job_text`. Status numbers are those of api/core/status.ts. Times are epoch milliseconds unless a column says otherwise.
 */
export const first: Migration = {
  version: 1,
  name: 'first',
  statements: [
    `CREATE TABLE workflow (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      user TEXT NOT NULL,
      description TEXT,
      project TEXT,
      -- Visible to lists and claims only when live; the others are pieces of large work that tick finishes or removes.
      state TEXT NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'creating', 'initializing', 'deleting')),
      state_since INTEGER,
      -- What an initializing workflow is going through, so that tick can finish it after a crash.
      state_work TEXT CHECK (state_work IN ('initialize', 'reinitialize', 'reset')),
      created_at INTEGER NOT NULL,
      run_id INTEGER NOT NULL DEFAULT 0,
      is_canceled INTEGER NOT NULL DEFAULT 0,
      is_archived INTEGER NOT NULL DEFAULT 0,
      has_detected_completion_script INTEGER NOT NULL DEFAULT 0,
      env TEXT,
      jobs_sort_method TEXT NOT NULL DEFAULT 'gpus_runtime_memory',
      use_pending_failed INTEGER NOT NULL DEFAULT 0,
      enable_ro_crate INTEGER NOT NULL DEFAULT 0,
      wait_for_new_jobs_seconds INTEGER NOT NULL DEFAULT 90,
      ignore_workflow_completion INTEGER NOT NULL DEFAULT 0,
      wait_for_healthy_database_minutes INTEGER NOT NULL DEFAULT 20,
      min_time_for_new_jobs_seconds INTEGER NOT NULL DEFAULT 300,
      expiration_buffer_seconds INTEGER,
      -- JSON as given; json_objects lists the columns that came as objects (contract/notes.md 19.2).
      metadata TEXT,
      slurm_defaults TEXT,
      execution_config TEXT,
      resource_monitor_config TEXT,
      json_objects TEXT NOT NULL DEFAULT '',
      slurm_config TEXT,
      dynamic_jobs TEXT,
      submission_directory TEXT,
      loss_budget INTEGER NOT NULL DEFAULT 5,
      -- Keys of ours that only the runner or the planner reads (spec-format.md 25), as JSON.
      options TEXT,
      -- Where the workflow came from, so that the same command finds it again.
      source_path TEXT,
      source_hash TEXT
    ) STRICT`,
    'CREATE INDEX workflow_by_source ON workflow(source_path, source_hash) WHERE source_path IS NOT NULL',

    // Jobs by status, kept by the trigger below and by bulk inserts and deletes: summary and is_complete never count rows.
    `CREATE TABLE workflow_count (
      workflow_id INTEGER NOT NULL REFERENCES workflow(id) ON DELETE CASCADE,
      status INTEGER NOT NULL,
      n INTEGER NOT NULL DEFAULT 0 CHECK (n >= 0),
      PRIMARY KEY (workflow_id, status)
    ) STRICT, WITHOUT ROWID`,

    `CREATE TABLE resource_requirements (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL REFERENCES workflow(id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      num_cpus INTEGER NOT NULL CHECK (num_cpus > 0),
      num_gpus INTEGER NOT NULL CHECK (num_gpus >= 0),
      num_nodes INTEGER NOT NULL CHECK (num_nodes > 0),
      memory TEXT NOT NULL,
      runtime TEXT NOT NULL,
      memory_bytes INTEGER NOT NULL,
      runtime_seconds REAL NOT NULL
    ) STRICT`,
    'CREATE INDEX resource_requirements_by_workflow ON resource_requirements(workflow_id)',

    // Ready jobs are looked up by class: what a job needs and who may take it. A workflow has few.
    `CREATE TABLE job_class (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL REFERENCES workflow(id) ON DELETE CASCADE,
      resource_requirements_id INTEGER NOT NULL REFERENCES resource_requirements(id),
      scheduler_id INTEGER,
      labels TEXT NOT NULL DEFAULT ''
    ) STRICT`,
    'CREATE UNIQUE INDEX job_class_key ON job_class(workflow_id, resource_requirements_id, ifnull(scheduler_id, 0), labels)',
    'CREATE INDEX job_class_by_requirements ON job_class(resource_requirements_id)',

    `CREATE TABLE job (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      status INTEGER NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 10),
      priority INTEGER NOT NULL DEFAULT 0 CHECK (priority >= 0),
      class_id INTEGER NOT NULL,
      -- Dependencies not yet complete, and how many of the complete ones did not succeed.
      unfinished INTEGER NOT NULL DEFAULT 0 CHECK (unfinished >= 0),
      unsuccessful INTEGER NOT NULL DEFAULT 0 CHECK (unsuccessful >= 0),
      cancel_on_failure INTEGER NOT NULL DEFAULT 1,
      attempt_id INTEGER NOT NULL DEFAULT 1,
      losses INTEGER NOT NULL DEFAULT 0,
      results INTEGER NOT NULL DEFAULT 0,
      latest_result_id INTEGER,
      -- The claim: who holds the job, since when, proven by what, until when (null: no lease, never expires).
      compute_node_id INTEGER,
      claim_token TEXT,
      fence INTEGER NOT NULL DEFAULT 0,
      claimed_at INTEGER,
      lease_seconds INTEGER,
      lease_expires_at INTEGER,
      started_at INTEGER,
      ready_at INTEGER,
      CHECK ((status IN (3, 4)) OR (claim_token IS NULL AND compute_node_id IS NULL AND claimed_at IS NULL AND lease_seconds IS NULL)),
      CHECK (lease_seconds IS NULL OR (claim_token IS NOT NULL AND compute_node_id IS NOT NULL AND claimed_at IS NOT NULL AND lease_expires_at IS NOT NULL)),
      CHECK (lease_expires_at IS NULL OR lease_seconds IS NOT NULL)
    ) STRICT`,
    'CREATE INDEX job_by_workflow ON job(workflow_id)',
    'CREATE INDEX job_ready ON job(workflow_id, class_id, priority DESC, id) WHERE status = 2',
    'CREATE INDEX job_held ON job(compute_node_id) WHERE compute_node_id IS NOT NULL',

    // Adds before it takes away: an open workflow never looks as if it had no open job.
    `CREATE TRIGGER job_status_counted AFTER UPDATE OF status ON job WHEN OLD.status <> NEW.status BEGIN
      UPDATE workflow_count SET n = n + 1 WHERE workflow_id = NEW.workflow_id AND status = NEW.status;
      UPDATE workflow_count SET n = n - 1 WHERE workflow_id = OLD.workflow_id AND status = OLD.status;
    END`,

    `CREATE TABLE job_text (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      command TEXT NOT NULL,
      invocation_script TEXT,
      env TEXT,
      failure_handler_id INTEGER,
      supports_termination INTEGER NOT NULL DEFAULT 0,
      origin TEXT,
      input_hash TEXT,
      -- Keys of ours (cwd, time_limit, tags, family, retry ...) as JSON.
      options TEXT
    ) STRICT`,

    `CREATE TABLE job_edge (
      depends_on_job_id INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      PRIMARY KEY (depends_on_job_id, job_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX job_edge_by_job ON job_edge(job_id)',

    // A finished job whose dependants are not all updated yet: what is left of a cascade too large for one transaction.
    `CREATE TABLE frontier (
      job_id INTEGER PRIMARY KEY,
      workflow_id INTEGER NOT NULL,
      unsuccessful INTEGER NOT NULL,
      cursor INTEGER NOT NULL DEFAULT 0
    ) STRICT`,

    `CREATE TABLE file (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      path TEXT NOT NULL,
      st_mtime REAL,
      identifier TEXT
    ) STRICT`,
    'CREATE INDEX file_by_workflow ON file(workflow_id)',
    `CREATE TABLE job_file (
      job_id INTEGER NOT NULL,
      is_output INTEGER NOT NULL,
      file_id INTEGER NOT NULL,
      PRIMARY KEY (job_id, is_output, file_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX job_file_by_file ON job_file(file_id)',

    `CREATE TABLE user_data (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      is_ephemeral INTEGER NOT NULL DEFAULT 0,
      data TEXT
    ) STRICT`,
    'CREATE INDEX user_data_by_workflow ON user_data(workflow_id)',
    `CREATE TABLE job_user_data (
      job_id INTEGER NOT NULL,
      is_output INTEGER NOT NULL,
      user_data_id INTEGER NOT NULL,
      PRIMARY KEY (job_id, is_output, user_data_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX job_user_data_by_user_data ON job_user_data(user_data_id)',

    `CREATE TABLE compute_node (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      hostname TEXT NOT NULL,
      pid INTEGER NOT NULL,
      start_time TEXT NOT NULL,
      end_time TEXT,
      is_active INTEGER,
      num_cpus INTEGER NOT NULL,
      memory_gb REAL NOT NULL,
      num_gpus INTEGER NOT NULL,
      num_nodes INTEGER NOT NULL,
      time_limit TEXT,
      scheduler_config_id INTEGER,
      compute_node_type TEXT NOT NULL,
      scheduler TEXT,
      labels TEXT NOT NULL DEFAULT '',
      duration_seconds REAL,
      sample_count INTEGER,
      peak_cpu_percent REAL,
      avg_cpu_percent REAL,
      peak_memory_bytes INTEGER,
      avg_memory_bytes INTEGER
    ) STRICT`,
    'CREATE INDEX compute_node_by_workflow ON compute_node(workflow_id)',

    // id = job_id * 65536 + a number counted per job, so results lie beside their job and need no index of their own.
    `CREATE TABLE result (
      id INTEGER PRIMARY KEY,
      job_id INTEGER NOT NULL,
      workflow_id INTEGER NOT NULL,
      run_id INTEGER NOT NULL,
      attempt_id INTEGER NOT NULL,
      compute_node_id INTEGER,
      return_code INTEGER NOT NULL,
      exec_time_minutes REAL NOT NULL,
      completion_time TEXT NOT NULL,
      status INTEGER NOT NULL,
      peak_memory_bytes INTEGER,
      avg_memory_bytes INTEGER,
      peak_cpu_percent REAL,
      avg_cpu_percent REAL,
      failure_class TEXT,
      user_seconds REAL,
      system_seconds REAL,
      ready_at REAL,
      claimed_at REAL,
      launched_at REAL,
      exited_at REAL,
      recorded_at REAL,
      -- Reported by a runner that had lost the job: kept for the record, never the latest result.
      superseded INTEGER NOT NULL DEFAULT 0
    ) STRICT`,

    // Attempts that ended without a report: their token stays known so that a late report can be judged.
    `CREATE TABLE lost_attempt (
      job_id INTEGER NOT NULL,
      run_id INTEGER NOT NULL,
      attempt_id INTEGER NOT NULL,
      failure_class TEXT NOT NULL,
      compute_node_id INTEGER,
      claim_token TEXT,
      fence INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER NOT NULL,
      PRIMARY KEY (job_id, run_id, attempt_id)
    ) STRICT, WITHOUT ROWID`,

    // What a claim handed out, so that a repeated claim_id gets the same answer.
    `CREATE TABLE claim (
      claim_id TEXT NOT NULL,
      workflow_id INTEGER NOT NULL,
      token TEXT NOT NULL,
      job_ids TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (claim_id, workflow_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX claim_by_time ON claim(created_at)',

    // Jobs a node could run but was too busy for while smaller ones passed; after a while the node is kept free for them.
    `CREATE TABLE passed_over (
      compute_node_id INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      since INTEGER NOT NULL,
      PRIMARY KEY (compute_node_id, job_id)
    ) STRICT, WITHOUT ROWID`,

    // Every change that somebody may wait for. Numbered per workflow, so that a stream resumes.
    `CREATE TABLE stream_event (
      workflow_id INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      type TEXT NOT NULL,
      job_id INTEGER,
      data TEXT,
      PRIMARY KEY (workflow_id, seq)
    ) STRICT, WITHOUT ROWID`,

    `CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      data TEXT NOT NULL
    ) STRICT`,
    'CREATE INDEX event_by_workflow ON event(workflow_id)',

    `CREATE TABLE failure_handler (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      rules TEXT NOT NULL
    ) STRICT`,
    'CREATE INDEX failure_handler_by_workflow ON failure_handler(workflow_id)',

    `CREATE TABLE slurm_scheduler (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      name TEXT,
      account TEXT NOT NULL,
      gres TEXT,
      mem TEXT,
      nodes INTEGER NOT NULL DEFAULT 1,
      ntasks_per_node INTEGER,
      partition TEXT,
      qos TEXT,
      tmp TEXT,
      walltime TEXT NOT NULL,
      extra TEXT,
      serialize_allocations INTEGER NOT NULL DEFAULT 0
    ) STRICT`,
    'CREATE INDEX slurm_scheduler_by_workflow ON slurm_scheduler(workflow_id)',

    `CREATE TABLE action (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workflow_id INTEGER NOT NULL,
      trigger_type TEXT NOT NULL,
      action_type TEXT NOT NULL,
      action_config TEXT NOT NULL,
      required_triggers INTEGER NOT NULL DEFAULT 1,
      trigger_count INTEGER NOT NULL DEFAULT 0,
      executed INTEGER NOT NULL DEFAULT 0,
      executed_at TEXT,
      executed_by INTEGER,
      persistent INTEGER NOT NULL DEFAULT 0,
      is_recovery INTEGER NOT NULL DEFAULT 0
    ) STRICT`,
    'CREATE INDEX action_by_workflow ON action(workflow_id)',
    `CREATE TABLE action_job (
      job_id INTEGER NOT NULL,
      action_id INTEGER NOT NULL,
      PRIMARY KEY (job_id, action_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX action_job_by_action ON action_job(action_id)',
  ],
}
