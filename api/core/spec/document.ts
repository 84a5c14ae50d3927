import { TIMES_AND_LIMITS } from './defaults.ts'
import { implicitDependencies } from './graph.ts'
import { escapePattern } from './pattern.ts'
import type {
  ExpandedAction,
  ExpandedJob,
  ExpandedSlurmScheduler,
  ExpandedWorkflow,
  FailurePattern,
  Json,
  JsonObject,
  RetryRule,
  TextMap,
} from './types.ts'

type Optional = { [key: string]: Json | undefined }

/**
 * The workflow file that expands to this workflow, in the order and the words of the format; every copy stands for itself. What a reader
 * would fill in is left out. Names have to be unique, as files need.
 */
export function toDocument(workflow: ExpandedWorkflow): JsonObject {
  const stdio = (workflow.executionConfig?.job_stdio_overrides ?? {}) as JsonObject
  const implicit = implicitDependencies(workflow)
  return present({
    name: workflow.name,
    description: workflow.description,
    project: workflow.project,
    metadata: workflow.metadata === undefined ? undefined : JSON.parse(workflow.metadata),
    access_groups: unlessEmpty(workflow.accessGroups),
    env: workflow.env,
    jobs_sort_method: unlessUsual(workflow.jobsSortMethod, 'gpus_runtime_memory'),
    use_pending_failed: workflow.usePendingFailed || undefined,
    enable_ro_crate: workflow.enableRoCrate || undefined,
    compute_node_wait_for_new_jobs_seconds: unlessUsual(
      workflow.computeNodeWaitForNewJobsSeconds,
      TIMES_AND_LIMITS.computeNodeWaitForNewJobsSeconds,
    ),
    compute_node_ignore_workflow_completion: workflow.computeNodeIgnoreWorkflowCompletion || undefined,
    compute_node_wait_for_healthy_database_minutes: unlessUsual(
      workflow.computeNodeWaitForHealthyDatabaseMinutes,
      TIMES_AND_LIMITS.computeNodeWaitForHealthyDatabaseMinutes,
    ),
    dynamic_jobs: workflow.dynamicJobs && { max_iterations: workflow.dynamicJobs.maxIterations },
    loss_budget: unlessUsual(workflow.lossBudget, TIMES_AND_LIMITS.lossBudget),
    ...failureKeys(workflow),
    site: workflow.site,
    execution_config: executionOf(workflow),
    // Without the key a file gets the default monitor.
    resource_monitor: workflow.resourceMonitorConfig ?? { enabled: false },
    slurm_defaults: workflow.slurmDefaults,
    resource_requirements: unlessEmpty(workflow.resourceRequirements.map(toSet)),
    failure_handlers: unlessEmpty(
      workflow.failureHandlers.map(({ name, rules }) => ({ name, rules: JSON.parse(rules) as Json })),
    ),
    slurm_schedulers: unlessEmpty(workflow.slurmSchedulers.map(toScheduler)),
    files: unlessEmpty(
      workflow.files.map(({ name, path, stMtime, identifier }) =>
        present({ name, path, st_mtime: stMtime, identifier }),
      ),
    ),
    user_data: unlessEmpty(
      workflow.userData.map(({ name, data, isEphemeral }) =>
        present({
          name,
          data: data === undefined ? undefined : (JSON.parse(data) as Json),
          is_ephemeral: isEphemeral || undefined,
        }),
      ),
    ),
    jobs: workflow.jobs.map((job, index) => toJob(job, new Set(implicit[index]), workflow, stdio[job.name])),
    actions: unlessEmpty(workflow.actions.map(action => toAction(action, workflow))),
  })
}

function toJob(
  job: ExpandedJob,
  implicit: ReadonlySet<number>,
  workflow: ExpandedWorkflow,
  stdio: Json | undefined,
): JsonObject {
  const { jobs, files, userData, resourceRequirements, slurmSchedulers, failureHandlers } = workflow
  const set = resourceRequirements[job.resourceRequirements ?? -1]?.name
  const outputs = new Set(job.outputFiles)
  const namesOf = (indices: readonly number[], items: readonly { name: string }[]) =>
    unlessEmpty(indices.map(index => items[index]!.name))
  return present({
    name: job.name,
    command: job.command,
    invocation_script: job.invocationScript,
    env: ownEnv(job.env, workflow.env),
    priority: job.priority || undefined,
    cancel_on_blocking_job_failure: job.cancelOnBlockingJobFailure ? undefined : false,
    resource_requirements: set,
    scheduler: slurmSchedulers[job.scheduler ?? -1]?.name,
    failure_handler: failureHandlers[job.failureHandler ?? -1]?.name,
    labels: unlessEmpty(job.labels),
    tags: job.tags,
    family: unlessUsual(job.family, set ?? 'default'),
    cwd: job.cwd,
    time_limit: job.timeLimitSeconds === undefined ? undefined : seconds(job.timeLimitSeconds),
    ...failureKeys(job),
    stdio,
    depends_on: namesOf(
      // The lists of files and user_data say these.
      job.dependsOn.filter(index => !implicit.has(index)),
      jobs,
    ),
    input_files: namesOf(
      job.inputFiles.filter(index => !outputs.has(index)),
      files,
    ),
    // In a list it would be refused that a job reads what it writes; a pattern may find that.
    input_file_regexes: unlessEmpty(
      job.inputFiles.filter(index => outputs.has(index)).map(index => `^${escapePattern(files[index]!.name)}$`),
    ),
    output_files: namesOf(job.outputFiles, files),
    input_user_data: namesOf(job.inputUserData, userData),
    output_user_data: namesOf(job.outputUserData, userData),
  })
}

/** What the job has beyond the workflow's variables. */
function ownEnv(env: TextMap | undefined, shared: TextMap = {}): TextMap | undefined {
  if (env === undefined) return undefined
  const own = Object.entries(env).filter(([name, value]) => shared[name] !== value)
  return own.length > 0 ? Object.fromEntries(own) : undefined
}

function executionOf({ executionConfig }: ExpandedWorkflow): JsonObject | undefined {
  if (executionConfig === undefined) return undefined
  const { job_stdio_overrides: _, ...rest } = executionConfig
  return Object.keys(rest).length > 0 ? rest : undefined
}

function toSet(set: ExpandedWorkflow['resourceRequirements'][number]): JsonObject {
  const { name, numCpus, numGpus, numNodes, memory, runtime } = set
  return { name, num_cpus: numCpus, num_gpus: numGpus, num_nodes: numNodes, memory, runtime }
}

function toScheduler({ ntasksPerNode, serializeAllocations, ...rest }: ExpandedSlurmScheduler): JsonObject {
  return present({
    ...rest,
    ntasks_per_node: ntasksPerNode,
    serialize_allocations: serializeAllocations || undefined,
  })
}

function toAction({ triggerType, config, jobs, persistent }: ExpandedAction, workflow: ExpandedWorkflow): JsonObject {
  const details =
    config.actionType === 'run_commands'
      ? { commands: config.commands }
      : {
          scheduler: workflow.slurmSchedulers[config.scheduler]!.name,
          scheduler_type: config.schedulerType,
          num_allocations: config.numAllocations,
          start_one_worker_per_node: config.startOneWorkerPerNode || undefined,
          max_parallel_jobs: config.maxParallelJobs,
        }
  return present({
    trigger_type: triggerType,
    action_type: config.actionType,
    jobs: unlessEmpty(jobs.map(index => workflow.jobs[index]!.name)),
    ...details,
    persistent: persistent || undefined,
  })
}

type FailureKeys = Pick<ExpandedJob, 'retry' | 'transient' | 'deterministic' | 'eject'>

function failureKeys({ retry, transient, deterministic, eject }: FailureKeys): Optional {
  return {
    retry: retry && toRetry(retry),
    transient: transient && toPattern(transient),
    deterministic: deterministic && toPattern(deterministic),
    eject,
  }
}

function toRetry(rule: RetryRule): JsonObject {
  return present({
    max: rule.max,
    backoff_seconds: rule.backoffSeconds,
    backoff_max_seconds: rule.backoffMaxSeconds,
    on: unlessEmpty(rule.on),
    memory_factor: rule.memoryFactor,
    runtime_factor: rule.runtimeFactor,
    max_memory: rule.maxMemoryBytes === undefined ? undefined : String(rule.maxMemoryBytes),
    max_runtime: rule.maxRuntimeSeconds === undefined ? undefined : seconds(rule.maxRuntimeSeconds),
  })
}

function toPattern({ exitCodes, logPatterns }: FailurePattern): JsonObject {
  return present({ exit_codes: unlessEmpty(exitCodes), log_patterns: unlessEmpty(logPatterns) })
}

const seconds = (count: number): string => `PT${count}S`

/** Undefined when nothing is in the list, which is the same as no list. */
function unlessEmpty<T>(list: readonly T[]): T[] | undefined {
  return list.length > 0 ? [...list] : undefined
}

function unlessUsual<T extends number | string>(value: T, usual: NoInfer<T>): T | undefined {
  return value === usual ? undefined : value
}

function present(object: Optional): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as JsonObject
}
