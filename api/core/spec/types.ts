/** What a workflow file becomes: the shapes that readers of the expansion (database insert, dry run, runner) share. */

export type Severity = 'error' | 'warning'

/** One problem of a workflow file; line and column start at 1 and count code points. */
export interface Diagnostic {
  severity: Severity
  code: DiagnosticCode
  message: string
  file: string
  line: number
  column: number
  /** Key path such as `jobs[3].parameters.seed`, counted in the file before expansion; null for syntax errors. */
  path: string | null
  /** The fix, when there is one to offer. */
  hint: string | null
}

export type DiagnosticCode = ErrorCode | WarningCode

export type ErrorCode =
  | 'syntax'
  | 'unknown_key'
  | 'removed_key'
  | 'missing_key'
  | 'duplicate_key'
  | 'wrong_type'
  | 'bad_value'
  | 'bad_parameter'
  | 'zip_length'
  | 'unknown_parameter'
  | 'duplicate_name'
  | 'unknown_job'
  | 'unknown_file'
  | 'unknown_user_data'
  | 'unknown_resource_requirements'
  | 'unknown_scheduler'
  | 'unknown_failure_handler'
  | 'bad_regex'
  | 'no_match'
  | 'cycle'
  | 'self_dependency'
  | 'wrong_mode'
  | 'excluded_key'
  | 'node_mismatch'
  | 'over_scheduler'
  | 'unknown_placeholder'
  | 'bad_table'
  | 'parameter_source'
  | 'name_collision'
  | 'bad_label'
  | 'label_with_scheduler'
  | 'bad_identifier'

export type WarningCode =
  | 'ignored_key'
  | 'unknown_monitor_key'
  | 'merged_jobs'
  | 'no_values'
  | 'empty_item'
  | 'quoted_single'
  | 'format_ignored'
  | 'use_parameters_ignored'
  | 'leftover_placeholder'
  | 'shell_brace'
  | 'float_noise'
  | 'repeated_entry'
  | 'same_path'
  | 'several_producers'
  | 'unnamed_entry'
  | 'dead_rule'
  | 'unused_action_jobs'
  | 'scheduler_type'
  | 'skipped_default'
  | 'bad_metadata'
  | 'chain_override'
  | 'own_output'

/** The codes that `--skip-checks` lets pass; every other error stops a creation. */
export const SKIPPABLE_CODES: readonly ErrorCode[] = ['node_mismatch', 'over_scheduler']

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
export type TextMap = { [key: string]: string }

export type JobsSortMethod = 'gpus_runtime_memory' | 'gpus_memory_runtime' | 'none'

/** Everything the database inserts for one file. Lists stand in the order of the file; links are indices into them. */
export interface ExpandedWorkflow {
  name: string
  description: string | undefined
  project: string | undefined
  /** JSON text of an object, key order kept. */
  metadata: string | undefined
  env: TextMap | undefined
  jobsSortMethod: JobsSortMethod
  usePendingFailed: boolean
  enableRoCrate: boolean
  computeNodeWaitForNewJobsSeconds: number
  computeNodeIgnoreWorkflowCompletion: boolean
  computeNodeWaitForHealthyDatabaseMinutes: number
  /** As on the wire (snake_case), only the keys that are given; undefined when it equals the default. */
  executionConfig: JsonObject | undefined
  /** As on the wire, defaults filled in; undefined when monitoring is left out. */
  resourceMonitorConfig: JsonObject | undefined
  slurmDefaults: JsonObject | undefined
  accessGroups: string[]
  /** Present when the file has `dynamic_jobs`, the cap filled in. */
  dynamicJobs: { maxIterations: number } | undefined
  retry: RetryRule | undefined
  transient: FailurePattern | undefined
  deterministic: FailurePattern | undefined
  eject: boolean | undefined
  lossBudget: number
  site: { prologue: string[]; directives: string[] } | undefined
  jobs: ExpandedJob[]
  files: ExpandedFile[]
  userData: ExpandedUserData[]
  /** Without the automatic `default`. */
  resourceRequirements: ExpandedResourceRequirements[]
  failureHandlers: ExpandedFailureHandler[]
  slurmSchedulers: ExpandedSlurmScheduler[]
  actions: ExpandedAction[]
}

export interface ExpandedJob {
  name: string
  command: string
  invocationScript: string | undefined
  /** Workflow env overlaid by the job's; the same object is shared by jobs without an env of their own. */
  env: TextMap | undefined
  priority: number
  cancelOnBlockingJobFailure: boolean
  /** Index into resourceRequirements; undefined = the automatic `default`. */
  resourceRequirements: number | undefined
  /** Index into slurmSchedulers. */
  scheduler: number | undefined
  /** Index into failureHandlers. */
  failureHandler: number | undefined
  /** Explicit dependencies (names and patterns), ascending indices into jobs. */
  dependsOn: number[]
  inputFiles: number[]
  outputFiles: number[]
  inputUserData: number[]
  outputUserData: number[]
  /** A sorted set; routes the job to runners that have all of them. */
  labels: string[]
  tags: TextMap | undefined
  /** Jobs of one family are alike; the name of the resource set when not given. */
  family: string
  cwd: string | undefined
  timeLimitSeconds: number | undefined
  /** Replaces the workflow's as a whole; undefined = the workflow's. The same for the next three. */
  retry: RetryRule | undefined
  transient: FailurePattern | undefined
  deterministic: FailurePattern | undefined
  eject: boolean | undefined
}

export interface ExpandedFile {
  name: string
  path: string
  /** Seconds since 1970; undefined for a file that is yet to come. */
  stMtime: number | undefined
  identifier: string | undefined
}

export interface ExpandedUserData {
  name: string
  /** Compact JSON text, keys sorted; undefined when there is no value. */
  data: string | undefined
  isEphemeral: boolean
}

export interface ExpandedResourceRequirements {
  name: string
  numCpus: number
  numGpus: number
  numNodes: number
  /** As written. */
  memory: string
  memoryBytes: number
  /** As written. */
  runtime: string
  /** May be fractional; round up where an integer is needed. */
  runtimeSeconds: number
}

export interface ExpandedFailureHandler {
  name: string
  /** JSON text of the list, as clients parse it. */
  rules: string
}

export interface ExpandedSlurmScheduler {
  name: string
  account: string
  partition: string | undefined
  qos: string | undefined
  gres: string | undefined
  mem: string | undefined
  tmp: string | undefined
  extra: string | undefined
  nodes: number
  ntasksPerNode: number | undefined
  walltime: string
  serializeAllocations: boolean
}

export type TriggerType =
  | 'on_workflow_start'
  | 'on_workflow_complete'
  | 'on_jobs_ready'
  | 'on_jobs_complete'
  | 'on_worker_start'
  | 'on_worker_complete'

export interface ExpandedAction {
  triggerType: TriggerType
  config: ExpandedActionConfig
  /** Indices into jobs, for job triggers only. */
  jobs: number[]
  requiredTriggers: number
  persistent: boolean
}

export type ExpandedActionConfig =
  | { actionType: 'run_commands'; commands: string[] }
  | {
      actionType: 'schedule_nodes'
      /** Index into slurmSchedulers. */
      scheduler: number
      schedulerType: string
      numAllocations: number
      startOneWorkerPerNode: boolean
      maxParallelJobs: number | undefined
    }

/** How often, when and with how much more a job's own failures are tried again. */
export interface RetryRule {
  max: number
  backoffSeconds: number
  backoffMaxSeconds: number
  /** Failure classes; empty = the classes that are retried by default. */
  on: string[]
  memoryFactor: number | undefined
  runtimeFactor: number | undefined
  maxMemoryBytes: number | undefined
  maxRuntimeSeconds: number | undefined
}

/** What in an attempt's end names its failure class. */
export interface FailurePattern {
  exitCodes: number[]
  logPatterns: string[]
}

/** The facts of a dry run, in the wire's words. */
export interface SpecSummary {
  workflow_name: string
  workflow_description: string | null
  job_count: number
  job_count_before_expansion: number
  file_count: number
  file_count_before_expansion: number
  user_data_count: number
  resource_requirements_count: number
  slurm_scheduler_count: number
  action_count: number
  has_schedule_nodes_action: boolean
  job_names: string[]
  scheduler_names: string[]
}
