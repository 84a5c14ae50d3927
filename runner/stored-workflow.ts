import type { JobOptions, PatternOptions, RetryOptions, WorkflowOptions } from '../api/core/spec/options.ts'
import type {
  ExpandedAction,
  ExpandedJob,
  ExpandedWorkflow,
  FailurePattern,
  JobsSortMethod,
  JsonObject,
  RetryRule,
  TextMap,
  TriggerType,
} from '../api/core/spec/types.ts'

/** The lines of an exported workflow (api/contract/export.ts) as far as a workflow file can say them. */
type Stored = {
  workflow: {
    name: string
    description?: string
    project?: string
    metadata?: JsonObject
    access_groups?: string[]
    env?: TextMap
    jobs_sort_method: JobsSortMethod
    use_pending_failed: boolean
    enable_ro_crate: boolean
    compute_node_wait_for_new_jobs_seconds: number
    compute_node_ignore_workflow_completion: boolean
    compute_node_wait_for_healthy_database_minutes: number
    execution_config?: JsonObject
    resource_monitor_config?: JsonObject
    slurm_defaults?: JsonObject
    dynamic_jobs?: { max_iterations?: number }
    loss_budget: number
    options?: WorkflowOptions
  }
  resource_requirements: {
    id: number
    name: string
    num_cpus: number
    num_gpus: number
    num_nodes: number
    memory: string
    runtime: string
  }
  failure_handler: { id: number; name: string; rules: string }
  slurm_scheduler: {
    id: number
    name?: string
    account: string
    partition?: string
    qos?: string
    gres?: string
    mem?: string
    tmp?: string
    extra?: string
    nodes: number
    ntasks_per_node?: number
    walltime: string
    serialize_allocations?: boolean
  }
  file: { id: number; name: string; path: string; st_mtime?: number; identifier?: string }
  user_data: { id: number; name: string; data?: unknown; is_ephemeral?: boolean }
  job: {
    id: number
    name: string
    command: string
    invocation_script?: string
    env?: TextMap
    priority: number
    cancel_on_blocking_job_failure: boolean
    resource_requirements_id: number
    scheduler_id?: number
    failure_handler_id?: number
    labels?: string[]
    options?: JobOptions
    depends_on_job_ids?: number[]
    input_file_ids?: number[]
    output_file_ids?: number[]
    input_user_data_ids?: number[]
    output_user_data_ids?: number[]
  }
  action: {
    trigger_type: TriggerType
    action_type: string
    action_config: JsonObject
    job_ids?: number[]
    required_triggers: number
    persistent: boolean
  }
}

type Lists = { [K in keyof Stored]: Stored[K][] }

const KINDS = [
  'workflow',
  'resource_requirements',
  'failure_handler',
  'slurm_scheduler',
  'file',
  'user_data',
  'job',
  'action',
] as const satisfies readonly (keyof Stored)[]

const DEFAULT_SET = 'default'

/** What makes the stored workflow something that no file can say: names that are given twice. */
export type Unsayable = { message: string }

/** Turns an exported workflow back into the expansion it came from: structure only, no statuses and no results. */
export function readStored(document: string): ExpandedWorkflow | Unsayable {
  const lists = readLines(document)
  const twice = nameTwice(lists)
  if (twice !== undefined) return { message: twice }
  const [workflow] = lists.workflow
  if (workflow === undefined) return { message: 'the document has no workflow' }
  const sets = lists.resource_requirements.filter(({ name }) => name !== DEFAULT_SET)
  const schedulers = lists.slurm_scheduler.filter(({ name }) => name !== undefined)
  const toSet = indexById(sets)
  const toScheduler = indexById(schedulers)
  const toHandler = indexById(lists.failure_handler)
  const toFile = indexById(lists.file)
  const toData = indexById(lists.user_data)
  const toJob = indexById(lists.job)
  const { options } = workflow
  return {
    name: workflow.name,
    description: workflow.description,
    project: workflow.project,
    metadata: workflow.metadata && JSON.stringify(workflow.metadata),
    env: workflow.env,
    jobsSortMethod: workflow.jobs_sort_method,
    usePendingFailed: workflow.use_pending_failed,
    enableRoCrate: workflow.enable_ro_crate,
    computeNodeWaitForNewJobsSeconds: workflow.compute_node_wait_for_new_jobs_seconds,
    computeNodeIgnoreWorkflowCompletion: workflow.compute_node_ignore_workflow_completion,
    computeNodeWaitForHealthyDatabaseMinutes: workflow.compute_node_wait_for_healthy_database_minutes,
    executionConfig: workflow.execution_config,
    resourceMonitorConfig: workflow.resource_monitor_config,
    slurmDefaults: workflow.slurm_defaults,
    accessGroups: workflow.access_groups ?? [],
    dynamicJobs:
      workflow.dynamic_jobs?.max_iterations === undefined
        ? undefined
        : { maxIterations: workflow.dynamic_jobs.max_iterations },
    ...failureKeys(options),
    lossBudget: workflow.loss_budget,
    site: options?.site,
    // Sizes and times in figures are for databases and runners: a file has the words.
    resourceRequirements: sets.map(({ name, num_cpus, num_gpus, num_nodes, memory, runtime }) => ({
      name,
      numCpus: num_cpus,
      numGpus: num_gpus,
      numNodes: num_nodes,
      memory,
      memoryBytes: 0,
      runtime,
      runtimeSeconds: 0,
    })),
    failureHandlers: lists.failure_handler.map(({ name, rules }) => ({ name, rules })),
    slurmSchedulers: schedulers.map(scheduler => ({
      name: scheduler.name!,
      account: scheduler.account,
      partition: scheduler.partition,
      qos: scheduler.qos,
      gres: scheduler.gres,
      mem: scheduler.mem,
      tmp: scheduler.tmp,
      extra: scheduler.extra,
      nodes: scheduler.nodes,
      ntasksPerNode: scheduler.ntasks_per_node,
      walltime: scheduler.walltime,
      serializeAllocations: scheduler.serialize_allocations ?? false,
    })),
    files: lists.file.map(({ name, path, st_mtime, identifier }) => ({ name, path, stMtime: st_mtime, identifier })),
    userData: lists.user_data.map(({ name, data, is_ephemeral }) => ({
      name,
      data: data === undefined ? undefined : JSON.stringify(data),
      isEphemeral: is_ephemeral ?? false,
    })),
    jobs: lists.job.map((job): ExpandedJob => {
      const set = toSet(job.resource_requirements_id)
      return {
        name: job.name,
        command: job.command,
        invocationScript: job.invocation_script,
        env: job.env,
        priority: job.priority,
        cancelOnBlockingJobFailure: job.cancel_on_blocking_job_failure,
        resourceRequirements: set,
        scheduler: toScheduler(job.scheduler_id),
        failureHandler: toHandler(job.failure_handler_id),
        dependsOn: indicesOf(job.depends_on_job_ids, toJob),
        inputFiles: indicesOf(job.input_file_ids, toFile),
        outputFiles: indicesOf(job.output_file_ids, toFile),
        inputUserData: indicesOf(job.input_user_data_ids, toData),
        outputUserData: indicesOf(job.output_user_data_ids, toData),
        labels: job.labels ?? [],
        tags: job.options?.tags,
        family: job.options?.family ?? sets[set ?? -1]?.name ?? DEFAULT_SET,
        cwd: job.options?.cwd,
        timeLimitSeconds: job.options?.time_limit_seconds,
        ...failureKeys(job.options),
      }
    }),
    actions: lists.action.flatMap(action => toAction(action, toJob, toScheduler) ?? []),
  }
}

type ToIndex = (id: number | undefined) => number | undefined

function readLines(document: string): Lists {
  const lists = Object.fromEntries(KINDS.map(kind => [kind, []])) as unknown as Lists
  for (const line of document.split('\n')) {
    if (line === '') continue
    const { kind, ...record } = JSON.parse(line) as { kind: string }
    const list = (lists as Record<string, object[]>)[kind]
    list?.push(record)
  }
  return lists
}

/** What files name, in words. */
const NAMED = [
  ['resource_requirements', 'sets of resources'],
  ['failure_handler', 'failure handlers'],
  ['slurm_scheduler', 'schedulers'],
  ['file', 'files'],
  ['user_data', 'entries of user_data'],
  ['job', 'jobs'],
] as const

function nameTwice(lists: Lists): string | undefined {
  for (const [kind, words] of NAMED) {
    const seen = new Set<string>()
    for (const { name } of lists[kind] as { name?: string }[]) {
      if (name !== undefined && seen.has(name)) return `two ${words} are called "${name}"`
      if (name !== undefined) seen.add(name)
    }
  }
  return undefined
}

function indexById(list: readonly { id: number }[]): ToIndex {
  const indices = new Map(list.map(({ id }, index) => [id, index]))
  return id => (id === undefined ? undefined : indices.get(id))
}

function indicesOf(ids: readonly number[] | undefined, toIndex: ToIndex): number[] {
  return (ids ?? []).flatMap(id => toIndex(id) ?? [])
}

/** An action that recovery made, or one for a scheduler without a name, has no place in a file. */
function toAction(action: Stored['action'], toJob: ToIndex, toScheduler: ToIndex): ExpandedAction | undefined {
  const { action_config: config } = action
  const common = {
    triggerType: action.trigger_type,
    jobs: indicesOf(action.job_ids, toJob),
    requiredTriggers: action.required_triggers,
    persistent: action.persistent,
  }
  if (action.action_type === 'run_commands') {
    return { ...common, config: { actionType: 'run_commands', commands: config.commands as string[] } }
  }
  const scheduler = toScheduler(config.scheduler_id as number)
  if (scheduler === undefined) return undefined
  return {
    ...common,
    config: {
      actionType: 'schedule_nodes',
      scheduler,
      schedulerType: config.scheduler_type as string,
      numAllocations: (config.num_allocations as number | undefined) ?? 1,
      startOneWorkerPerNode: config.start_one_worker_per_node === true,
      maxParallelJobs: config.max_parallel_jobs as number | undefined,
    },
  }
}

function failureKeys(options: Pick<JobOptions, 'retry' | 'transient' | 'deterministic' | 'eject'> = {}) {
  const { retry, transient, deterministic, eject } = options
  return {
    retry: retry && toRetry(retry),
    transient: transient && toPattern(transient),
    deterministic: deterministic && toPattern(deterministic),
    eject,
  }
}

function toRetry(retry: RetryOptions): RetryRule {
  return {
    max: retry.max,
    backoffSeconds: retry.backoff_seconds,
    backoffMaxSeconds: retry.backoff_max_seconds,
    on: retry.on,
    memoryFactor: retry.memory_factor,
    runtimeFactor: retry.runtime_factor,
    maxMemoryBytes: retry.max_memory_bytes,
    maxRuntimeSeconds: retry.max_runtime_seconds,
  }
}

function toPattern({ exit_codes, log_patterns }: PatternOptions): FailurePattern {
  return { exitCodes: exit_codes, logPatterns: log_patterns }
}
