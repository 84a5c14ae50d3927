// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file format look like those of JavaScript.
import type * as keys from './keys.ts'
import type { Schema } from './schema.ts'

/** One line on every key, which editors show beside it. A key without a line does not compile. */
type Help<S extends Schema> = { readonly [K in keyof S['fields']]: string }

const COPIES = {
  parameters: 'Values by name; there is one copy for each combination. "1:10", "0.0:1.0:0.1", [a, b] or "@file".',
  parameter_mode: 'product (default): every combination. zip: the first values together, then the second.',
  use_parameters: 'Names of the shared parameters to take.',
  parameters_file: 'A table (.csv, .json, .jsonl) with one copy per row, instead of parameters.',
  use_parameters_file: 'Take the table of the top level.',
}

const FAILURES = {
  retry: 'How often failures of the job itself are tried again.',
  transient: 'What in an attempt says that another try may help.',
  deterministic: 'What in an attempt says that another try cannot help.',
  eject: 'Hand a job that can only fail again back to its owner, as pending_failed.',
}

export const JOB_HELP: Help<typeof keys.JOB> = {
  name: 'Unique after expansion. {parameter} is replaced.',
  command: 'Run by bash -c. {parameter} and ${files.input.NAME} are replaced.',
  invocation_script:
    'One line: a wrapper that gets the command as arguments. Several lines: a preamble in the same shell.',
  env: 'Variables for this job, over those of the workflow. Values are text.',
  priority: 'Higher is claimed first; 0 is the default.',
  cancel_on_blocking_job_failure: 'Cancel this job when one it waits for fails (default: true).',
  supports_termination: 'Has no effect any more.',
  resource_requirements: 'Name of a set; without it the set "default": 1 CPU, 1 minute.',
  failure_handler: 'Name of the handler that decides about another try.',
  scheduler: 'Name of a Slurm scheduler whose runners are offered this job first.',
  depends_on: 'Names of jobs to wait for.',
  depends_on_regexes: 'Patterns that are searched in job names; anchor with ^ and $.',
  input_files: 'Names of files it reads; it waits for the jobs that make them.',
  output_files: 'Names of files it makes.',
  input_file_regexes: 'Patterns for names of files it reads.',
  output_file_regexes: 'Patterns for names of files it makes.',
  input_user_data: 'Names of user_data it reads.',
  output_user_data: 'Names of user_data it makes.',
  input_user_data_regexes: 'Patterns for names of user_data it reads.',
  output_user_data_regexes: 'Patterns for names of user_data it makes.',
  stdio: "Where its output goes, instead of the workflow's setting as a whole.",
  labels: 'Only a runner that has all of these takes the job.',
  tags: 'Words that describe the job, for selecting; they never route it.',
  family: 'Jobs of one family may share an array of a batch scheduler (default: name of its resource set).',
  cwd: "Where it starts, instead of the runner's working directory.",
  time_limit: 'Ends the job after this time, such as PT30M.',
  ...COPIES,
  ...FAILURES,
}

export const FILE_HELP: Help<typeof keys.FILE> = {
  name: 'How jobs name it; unique after expansion.',
  path: 'Where it is, from the working directory.',
  st_mtime: 'Seconds since 1970; looked up for inputs that exist.',
  identifier: 'A lasting id of an input, such as a DOI, for the record of provenance.',
  ...COPIES,
}

export const USER_DATA_HELP: Help<typeof keys.USER_DATA> = {
  name: 'How jobs name it; an entry without a name is left out.',
  data: 'Any JSON value.',
  is_ephemeral: 'Cleared when the workflow is initialized again.',
  ...COPIES,
}

export const RESOURCE_REQUIREMENTS_HELP: Help<typeof keys.RESOURCE_REQUIREMENTS> = {
  name: 'How jobs name it; "default" is reserved.',
  num_cpus: 'CPUs of one job.',
  memory: 'Digits and a unit k, m, g or t (powers of 1024): 512m, 4g.',
  num_gpus: 'GPUs of one job (default: 0).',
  num_nodes: 'Nodes of one job (default: 1).',
  runtime: 'How long it may take: PT30M, PT1H30M, P1DT12H (default: PT1H).',
}

export const FAILURE_HANDLER_HELP: Help<typeof keys.FAILURE_HANDLER> = {
  name: 'How jobs name it.',
  rules: 'The first rule that lists the exit code counts, else the first for all codes.',
}

export const FAILURE_RULE_HELP: Help<typeof keys.FAILURE_RULE> = {
  exit_codes: 'Exit codes it is for.',
  match_all_exit_codes: 'It is for every code that no other rule lists.',
  recovery_script: 'Run by bash -c before the next try.',
  max_retries: 'Tries in all: 3 (default) means two more after the first.',
}

export const SLURM_SCHEDULER_HELP: Help<typeof keys.SLURM_SCHEDULER> = {
  name: 'How jobs and actions name it; one without a name is left out.',
  account: 'Account to charge.',
  partition: 'Passed on as written.',
  qos: 'Passed on as written.',
  gres: 'Generic resources, such as gpu:2.',
  mem: 'Memory of a node; without a unit megabytes.',
  tmp: 'Temporary disk of a node.',
  nodes: 'Nodes of one allocation (default: 1).',
  ntasks_per_node: 'Passed on as written.',
  walltime: 'MM, MM:SS, HH:MM:SS or D-HH:MM:SS (default: 01:00:00).',
  extra: 'More options for the #SBATCH line.',
  serialize_allocations: 'Its allocations run one after the other.',
}

export const ACTION_HELP: Help<typeof keys.ACTION> = {
  trigger_type: 'When it happens.',
  action_type: 'What happens.',
  jobs: 'For job triggers: exact names.',
  job_name_regexes: 'For job triggers: patterns that are searched in job names.',
  commands: 'For run_commands: run in order by bash -c, until the first that fails.',
  scheduler: 'For schedule_nodes: name of a Slurm scheduler.',
  scheduler_type: 'For schedule_nodes: slurm.',
  num_allocations: 'For schedule_nodes: allocations to ask for (default: 1).',
  start_one_worker_per_node: 'For schedule_nodes: a runner on every node of the allocation.',
  max_parallel_jobs: 'For schedule_nodes: jobs at once per runner, whatever they require.',
  persistent: 'Every runner does it, instead of the first.',
}

export const STDIO_HELP: Help<typeof keys.STDIO> = {
  mode: 'Which streams are kept, and whether in one file.',
  delete_on_success: 'Remove the files of a job that completed.',
}

export const RETRY_HELP: Help<typeof keys.RETRY> = {
  max: 'Tries after the first.',
  backoff_seconds: 'Pause before the second try; it doubles (default: 10).',
  backoff_max_seconds: 'Longest pause (default: 600).',
  on: 'Classes of failures that are tried again.',
  memory_factor: 'After running out of memory: times as much.',
  runtime_factor: 'After running out of time: times as long.',
  max_memory: 'No more memory than this.',
  max_runtime: 'No longer than this.',
}

export const FAILURE_PATTERN_HELP: Help<typeof keys.FAILURE_PATTERN> = {
  exit_codes: 'One of these exit codes.',
  log_patterns: "One of these patterns in the job's log.",
}

export const EXECUTION_CONFIG_HELP: Help<typeof keys.EXECUTION_CONFIG> = {
  mode: 'direct (default): the runner starts jobs itself. slurm: each in a step of its own. auto: slurm inside an allocation.',
  sigkill_headroom_seconds: 'Jobs are killed this long before the end (default: 60).',
  timeout_exit_code: 'Return code of a job that ran out of time (default: 152).',
  staggered_start: 'Start runners of one allocation a little apart (default: true).',
  limit_resources: 'Keep jobs within what they require (default: true).',
  termination_signal: 'Sent first to a job that must end (default: SIGTERM).',
  sigterm_lead_seconds: 'Time between that signal and the kill (default: 30).',
  oom_exit_code: 'Return code of a job that ran out of memory (default: 137).',
  srun_termination_signal: 'As SIGNAL@SECONDS, for steps of srun.',
  enable_cpu_bind: 'Let srun bind to CPUs.',
  srun_mpi: 'Type of MPI for srun.',
  stdio: 'Where the output of jobs goes.',
  job_stdio_overrides: "Settings by job name; a job's own stdio says the same.",
}

export const RESOURCE_MONITOR_HELP: Help<typeof keys.RESOURCE_MONITOR> = {
  sample_interval_seconds: 'Time between two samples (default: 10).',
  flush_interval_seconds: 'Time between two writes (default: 300).',
  generate_plots: 'Make plots at the end.',
  jobs: 'Watch the jobs.',
  compute_node: 'Watch the whole node.',
  enabled: 'Older form of jobs.enabled.',
  granularity: 'Older form of jobs.granularity.',
}

export const WORKFLOW_HELP: Help<typeof keys.WORKFLOW> = {
  name: 'Name of the workflow.',
  description: 'What it is for.',
  user: 'Ignored: the workflow belongs to whoever submits it.',
  project: 'Groups workflows.',
  metadata: 'Anything you want to keep with the workflow.',
  variables: 'Constants that {name} puts in everywhere.',
  parameters: 'Shared parameters, for those that name them in use_parameters.',
  parameters_file: 'A shared table (.csv, .json, .jsonl), for those with use_parameters_file.',
  env: 'Variables of every job. Values are text.',
  jobs_sort_method: 'Order of claims after priority (default: gpus_runtime_memory).',
  jobs: 'What is to be run.',
  files: 'Files that jobs read and make; they order the jobs.',
  user_data: 'Small data that jobs read and make.',
  resource_requirements: 'Sets of resources, by name.',
  failure_handlers: 'Rules for another try, by name.',
  slurm_schedulers: 'Kinds of Slurm allocations, by name.',
  slurm_defaults: 'Options of sbatch, without --, for every scheduler.',
  resource_monitor: 'What is measured while jobs run.',
  actions: 'What happens at a moment of the workflow.',
  execution_config: 'How jobs are started and ended.',
  use_pending_failed: 'A job that failed without a rule waits for its owner, instead of failing.',
  enable_ro_crate: 'Keep a record of provenance.',
  compute_node_wait_for_new_jobs_seconds: 'An idle runner leaves after this long (default: 90).',
  compute_node_ignore_workflow_completion: 'Runners stay when the workflow is complete.',
  compute_node_wait_for_healthy_database_minutes: 'How long a runner waits for a server that is away (default: 20).',
  compute_node_expiration_buffer_seconds: 'Has no effect any more.',
  dynamic_jobs: 'Running jobs may add jobs.',
  access_groups: 'Groups that may see and use the workflow.',
  loss_budget: 'How often a job may lose its node (default: 5).',
  site: 'Lines for every generated batch script.',
  ...FAILURES,
}
