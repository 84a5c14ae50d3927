import type { Schema } from './schema.ts'
import { duration, envName, memory, nonEmpty, srunMpi } from './text-checks.ts'

/** Every key of the workflow file, for all formats: names, types, and the checks that need nothing but the value itself. */

const DEPENDENCY_MISTAKES = {
  deps: 'depends_on',
  needs: 'depends_on',
  after: 'depends_on',
  blocked_by: 'depends_on',
  depends_on_job: 'depends_on',
}
const IO_MISTAKES = { inputs: 'input_files', outputs: 'output_files' }

/** Where the copies of a job, file or user_data come from. */
export const EXPANSION_FIELDS = {
  parameters: { is: 'map' },
  parameter_mode: { is: 'text', oneOf: ['product', 'zip'] },
  use_parameters: { is: 'textList' },
  parameters_file: { is: 'text', check: nonEmpty },
  use_parameters_file: { is: 'bool' },
} as const

export const STDIO = {
  what: 'stdio',
  fields: {
    mode: { is: 'text', oneOf: ['separate', 'combined', 'no_stdout', 'no_stderr', 'none'] },
    delete_on_success: { is: 'bool' },
  },
} as const satisfies Schema

/** Why an attempt failed, as the runner classifies it. */
const FAILURE_CLASSES = [
  'exit_code',
  'signal',
  'timeout',
  'oom',
  'no_output',
  'spawn_error',
  'disk_full',
  'node_lost',
  'lease_expired',
  'allocation_end',
  'postprocess_error',
  'deterministic',
  'canceled',
] as const

export const RETRY = {
  what: 'retry',
  fields: {
    max: { is: 'int', min: 0 },
    backoff_seconds: { is: 'int', min: 0 },
    backoff_max_seconds: { is: 'int', min: 0 },
    on: { is: 'textList', oneOf: FAILURE_CLASSES },
    memory_factor: { is: 'float', min: 1 },
    runtime_factor: { is: 'float', min: 1 },
    max_memory: { is: 'text', check: memory },
    max_runtime: { is: 'text', check: duration },
  },
} as const satisfies Schema

export const FAILURE_PATTERN = {
  what: 'a failure pattern',
  fields: {
    exit_codes: { is: 'intList' },
    log_patterns: { is: 'textList', check: nonEmpty },
  },
} as const satisfies Schema

/** What a job may say for itself and the top level for all jobs. */
const FAILURE_FIELDS = {
  retry: { is: 'object', of: RETRY },
  transient: { is: 'object', of: FAILURE_PATTERN },
  deterministic: { is: 'object', of: FAILURE_PATTERN },
  eject: { is: 'bool' },
} as const

export const JOB = {
  what: 'a job',
  fields: {
    name: { is: 'text', required: true, check: nonEmpty },
    command: { is: 'text', required: true },
    invocation_script: { is: 'text' },
    env: { is: 'textMap', checkKey: envName },
    priority: { is: 'int', min: 0 },
    cancel_on_blocking_job_failure: { is: 'bool' },
    supports_termination: { is: 'bool' },
    resource_requirements: { is: 'text' },
    failure_handler: { is: 'text' },
    scheduler: { is: 'text' },
    depends_on: { is: 'textList' },
    depends_on_regexes: { is: 'textList' },
    input_files: { is: 'textList' },
    output_files: { is: 'textList' },
    input_file_regexes: { is: 'textList' },
    output_file_regexes: { is: 'textList' },
    input_user_data: { is: 'textList' },
    output_user_data: { is: 'textList' },
    input_user_data_regexes: { is: 'textList' },
    output_user_data_regexes: { is: 'textList' },
    stdio: { is: 'object', of: STDIO },
    labels: { is: 'textList' },
    tags: { is: 'textMap' },
    family: { is: 'text', check: nonEmpty },
    cwd: { is: 'text', check: nonEmpty },
    time_limit: { is: 'text', check: duration },
    ...EXPANSION_FIELDS,
    ...FAILURE_FIELDS,
  },
  aliases: { slurm_scheduler: 'scheduler' },
  mistakes: { ...DEPENDENCY_MISTAKES, ...IO_MISTAKES, timeout: 'time_limit', walltime: 'time_limit' },
} as const satisfies Schema

export const FILE = {
  what: 'a file',
  fields: {
    name: { is: 'text', required: true, check: nonEmpty },
    path: { is: 'text', required: true },
    st_mtime: { is: 'float' },
    identifier: { is: 'text' },
    ...EXPANSION_FIELDS,
  },
} as const satisfies Schema

export const USER_DATA = {
  what: 'user_data',
  fields: {
    name: { is: 'text' },
    data: { is: 'any' },
    is_ephemeral: { is: 'bool' },
    ...EXPANSION_FIELDS,
  },
} as const satisfies Schema

export const RESOURCE_REQUIREMENTS = {
  what: 'a set of resource_requirements',
  fields: {
    name: { is: 'text', required: true, check: nonEmpty },
    num_cpus: { is: 'int', required: true, min: 1 },
    memory: { is: 'text', required: true, check: memory },
    num_gpus: { is: 'int', min: 0 },
    num_nodes: { is: 'int', min: 1 },
    runtime: { is: 'text', check: duration },
  },
  mistakes: {
    cpus: 'num_cpus',
    gpus: 'num_gpus',
    nodes: 'num_nodes',
    mem: 'memory',
    timeout: 'runtime',
    walltime: 'runtime',
  },
} as const satisfies Schema

const LEAST_EXIT_CODE = -(2 ** 31)
const MOST_EXIT_CODE = 2 ** 31 - 1

export const FAILURE_RULE = {
  what: 'a rule',
  fields: {
    exit_codes: { is: 'intList', min: LEAST_EXIT_CODE, max: MOST_EXIT_CODE },
    match_all_exit_codes: { is: 'bool' },
    recovery_script: { is: 'text' },
    max_retries: { is: 'int' },
  },
} as const satisfies Schema

export const FAILURE_HANDLER = {
  what: 'a failure handler',
  fields: {
    name: { is: 'text', required: true, check: nonEmpty },
    rules: { is: 'objects', of: FAILURE_RULE, required: true },
  },
} as const satisfies Schema

export const SLURM_SCHEDULER = {
  what: 'a slurm_scheduler',
  fields: {
    name: { is: 'text' },
    account: { is: 'text', required: true },
    partition: { is: 'text' },
    qos: { is: 'text' },
    gres: { is: 'text' },
    mem: { is: 'text' },
    tmp: { is: 'text' },
    nodes: { is: 'int', min: 1 },
    ntasks_per_node: { is: 'int', min: 1 },
    walltime: { is: 'text' },
    extra: { is: 'text' },
    serialize_allocations: { is: 'bool' },
  },
  mistakes: { memory: 'mem', time: 'walltime', time_limit: 'walltime', num_nodes: 'nodes' },
} as const satisfies Schema

export const TRIGGER_TYPES = [
  'on_workflow_start',
  'on_workflow_complete',
  'on_jobs_ready',
  'on_jobs_complete',
  'on_worker_start',
  'on_worker_complete',
] as const

export const ACTION = {
  what: 'an action',
  fields: {
    trigger_type: { is: 'text', required: true, oneOf: TRIGGER_TYPES },
    action_type: { is: 'text', required: true, oneOf: ['run_commands', 'schedule_nodes'] },
    jobs: { is: 'textList' },
    job_name_regexes: { is: 'textList' },
    commands: { is: 'textList', check: nonEmpty },
    scheduler: { is: 'text' },
    scheduler_type: { is: 'text' },
    num_allocations: { is: 'int', min: 1 },
    start_one_worker_per_node: { is: 'bool' },
    max_parallel_jobs: { is: 'int', min: 1 },
    persistent: { is: 'bool' },
  },
} as const satisfies Schema

export const EXECUTION_CONFIG = {
  what: 'execution_config',
  fields: {
    mode: { is: 'text', oneOf: ['direct', 'slurm', 'auto'] },
    sigkill_headroom_seconds: { is: 'int', min: 0 },
    timeout_exit_code: { is: 'int' },
    staggered_start: { is: 'bool' },
    limit_resources: { is: 'bool' },
    termination_signal: { is: 'text', check: nonEmpty },
    sigterm_lead_seconds: { is: 'int', min: 0 },
    oom_exit_code: { is: 'int' },
    srun_termination_signal: { is: 'text', check: nonEmpty },
    enable_cpu_bind: { is: 'bool' },
    srun_mpi: { is: 'text', check: srunMpi },
    stdio: { is: 'object', of: STDIO },
    job_stdio_overrides: { is: 'map' },
  },
  mistakes: { use_srun: 'mode: slurm' },
} as const satisfies Schema

const GRANULARITIES = ['summary', 'time_series', 'Summary', 'TimeSeries'] as const

const MONITOR_PART_FIELDS = {
  enabled: { is: 'bool' },
  granularity: { is: 'text', oneOf: GRANULARITIES },
} as const

export const RESOURCE_MONITOR = {
  what: 'resource_monitor',
  toleratesUnknown: true,
  fields: {
    sample_interval_seconds: { is: 'int', min: 1 },
    flush_interval_seconds: { is: 'int', min: 1 },
    generate_plots: { is: 'bool' },
    jobs: { is: 'object', of: { what: 'resource_monitor.jobs', toleratesUnknown: true, fields: MONITOR_PART_FIELDS } },
    compute_node: {
      is: 'object',
      of: {
        what: 'resource_monitor.compute_node',
        toleratesUnknown: true,
        fields: { ...MONITOR_PART_FIELDS, cpu: { is: 'bool' }, memory: { is: 'bool' } },
      },
    },
    ...MONITOR_PART_FIELDS,
  },
} as const satisfies Schema

const INSIDE_EXECUTION_CONFIG = 'it inside execution_config'

export const WORKFLOW = {
  what: 'the workflow',
  fields: {
    name: { is: 'text', required: true, check: nonEmpty },
    description: { is: 'text' },
    user: { is: 'text' },
    project: { is: 'text' },
    metadata: { is: 'any' },
    variables: { is: 'textMap', checkKey: envName },
    parameters: { is: 'map' },
    parameters_file: { is: 'text', check: nonEmpty },
    env: { is: 'textMap', checkKey: envName },
    jobs_sort_method: { is: 'text', oneOf: ['gpus_runtime_memory', 'gpus_memory_runtime', 'none'] },
    jobs: { is: 'objects', of: JOB, required: true },
    files: { is: 'objects', of: FILE },
    user_data: { is: 'objects', of: USER_DATA },
    resource_requirements: { is: 'objects', of: RESOURCE_REQUIREMENTS },
    failure_handlers: { is: 'objects', of: FAILURE_HANDLER },
    slurm_schedulers: { is: 'objects', of: SLURM_SCHEDULER },
    slurm_defaults: { is: 'map' },
    resource_monitor: { is: 'object', of: RESOURCE_MONITOR },
    actions: { is: 'objects', of: ACTION },
    execution_config: { is: 'object', of: EXECUTION_CONFIG },
    use_pending_failed: { is: 'bool' },
    enable_ro_crate: { is: 'bool' },
    compute_node_wait_for_new_jobs_seconds: { is: 'int', min: 0 },
    compute_node_ignore_workflow_completion: { is: 'bool' },
    compute_node_wait_for_healthy_database_minutes: { is: 'int', min: 0 },
    compute_node_expiration_buffer_seconds: { is: 'int' },
    dynamic_jobs: { is: 'object', of: { what: 'dynamic_jobs', fields: { max_iterations: { is: 'int', min: 1 } } } },
    access_groups: { is: 'textList', check: nonEmpty },
    loss_budget: { is: 'int', min: 0 },
    site: {
      is: 'object',
      of: { what: 'site', fields: { prologue: { is: 'textList' }, directives: { is: 'textList' } } },
    },
    ...FAILURE_FIELDS,
  },
  aliases: { job_sort_method: 'jobs_sort_method' },
  removed: { slurm_config: 'use execution_config with mode: slurm' },
  mistakes: {
    use_srun: 'execution_config with mode: slurm',
    sort_method: 'jobs_sort_method',
    job_sort_order: 'jobs_sort_method',
    limit_resources: INSIDE_EXECUTION_CONFIG,
    srun_termination_signal: INSIDE_EXECUTION_CONFIG,
    enable_cpu_bind: INSIDE_EXECUTION_CONFIG,
  },
} as const satisfies Schema
