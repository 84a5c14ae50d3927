import { compareCodePoints } from '../../api/core/spec/data-json.ts'
import { implicitDependencies } from '../../api/core/spec/graph.ts'
import type { ExpandedAction, ExpandedJob, ExpandedWorkflow } from '../../api/core/spec/types.ts'

/** Brings an expansion into the shape of the fixtures' expected files (see the README of the fixtures). */
export function toExpectedForm(workflow: ExpandedWorkflow) {
  const implicit = implicitDependencies(workflow)
  const edges = workflow.jobs.reduce((sum, job, index) => sum + job.dependsOn.length + implicit[index]!.length, 0)
  const jobs = workflow.jobs.map((job, index) => toExpectedJob(job, implicit[index]!, workflow))
  return {
    workflow: toExpectedWorkflow(workflow),
    counts: {
      jobs: workflow.jobs.length,
      files: workflow.files.length,
      user_data: workflow.userData.length,
      resource_requirements: workflow.resourceRequirements.length + 1,
      slurm_schedulers: workflow.slurmSchedulers.length,
      failure_handlers: workflow.failureHandlers.length,
      actions: workflow.actions.length,
      edges,
      ready_after_init: jobs.filter(job => job.status_after_init === 'ready').length,
    },
    job_names: workflow.jobs.map(job => job.name),
    jobs: byName(jobs),
    files: byName(workflow.files.map(({ name, path }) => ({ name, path }))),
    user_data: byName(
      workflow.userData.map(({ name, data, isEphemeral }) => ({
        name,
        data: data && JSON.parse(data),
        is_ephemeral: isEphemeral,
      })),
    ),
    resource_requirements: byName([AUTOMATIC_SET, ...workflow.resourceRequirements.map(toExpectedSet)]),
    slurm_schedulers: byName(
      workflow.slurmSchedulers.map(({ ntasksPerNode, serializeAllocations: _, ...rest }) => ({
        ...rest,
        ntasks_per_node: ntasksPerNode,
      })),
    ),
    failure_handlers: byName(workflow.failureHandlers.map(({ name, rules }) => ({ name, rules: JSON.parse(rules) }))),
    actions: workflow.actions.map(action => toExpectedAction(action, workflow)),
  }
}

const AUTOMATIC_SET = { name: 'default', num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: '1m', runtime: 'P0DT1M' }

function byName<T extends { name: string }>(items: T[]): T[] {
  return items.sort((a, b) => compareCodePoints(a.name, b.name))
}

function toExpectedWorkflow(workflow: ExpandedWorkflow) {
  return {
    name: workflow.name,
    description: workflow.description,
    project: workflow.project,
    metadata: workflow.metadata,
    env: workflow.env,
    use_pending_failed: workflow.usePendingFailed,
    enable_ro_crate: workflow.enableRoCrate || undefined,
    compute_node_wait_for_new_jobs_seconds: workflow.computeNodeWaitForNewJobsSeconds,
    compute_node_ignore_workflow_completion: workflow.computeNodeIgnoreWorkflowCompletion,
    compute_node_wait_for_healthy_database_minutes: workflow.computeNodeWaitForHealthyDatabaseMinutes,
    // The record has this column, the file no key for it.
    compute_node_min_time_for_new_jobs_seconds: 300,
    execution_config: workflow.executionConfig,
    resource_monitor_config: workflow.resourceMonitorConfig,
    slurm_defaults: workflow.slurmDefaults,
  }
}

function toExpectedJob(job: ExpandedJob, implicit: number[], workflow: ExpandedWorkflow) {
  const namesOf = (indices: number[], items: { name: string }[]) =>
    indices.map(index => items[index]!.name).sort(compareCodePoints)
  const orAbsent = (names: string[]) => (names.length > 0 ? names : undefined)
  return {
    name: job.name,
    command: job.command,
    invocation_script: job.invocationScript,
    env: job.env,
    priority: job.priority,
    resource_requirements: workflow.resourceRequirements[job.resourceRequirements ?? -1]?.name ?? 'default',
    scheduler: workflow.slurmSchedulers[job.scheduler ?? -1]?.name,
    failure_handler: workflow.failureHandlers[job.failureHandler ?? -1]?.name,
    cancel_on_blocking_job_failure: job.cancelOnBlockingJobFailure,
    depends_on: namesOf(job.dependsOn, workflow.jobs),
    depends_on_implicit: namesOf(implicit, workflow.jobs),
    input_files: orAbsent(namesOf(job.inputFiles, workflow.files)),
    output_files: orAbsent(namesOf(job.outputFiles, workflow.files)),
    input_user_data: orAbsent(namesOf(job.inputUserData, workflow.userData)),
    output_user_data: orAbsent(namesOf(job.outputUserData, workflow.userData)),
    status_after_init: job.dependsOn.length + implicit.length > 0 ? 'blocked' : 'ready',
  }
}

function toExpectedSet(set: ExpandedWorkflow['resourceRequirements'][number]) {
  const { name, numCpus, numGpus, numNodes, memory, runtime } = set
  return { name, num_cpus: numCpus, num_gpus: numGpus, num_nodes: numNodes, memory, runtime }
}

function toExpectedAction(action: ExpandedAction, workflow: ExpandedWorkflow) {
  return {
    trigger_type: action.triggerType,
    action_type: action.config.actionType,
    config: toExpectedConfig(action.config, workflow),
    jobs:
      action.jobs.length > 0 ? action.jobs.map(index => workflow.jobs[index]!.name).sort(compareCodePoints) : undefined,
    required_triggers: action.requiredTriggers,
    persistent: action.persistent,
  }
}

function toExpectedConfig(config: ExpandedAction['config'], workflow: ExpandedWorkflow) {
  if (config.actionType === 'run_commands') return { commands: config.commands }
  return {
    scheduler: workflow.slurmSchedulers[config.scheduler]!.name,
    scheduler_type: config.schedulerType,
    num_allocations: config.numAllocations,
    start_one_worker_per_node: config.startOneWorkerPerNode,
    max_parallel_jobs: config.maxParallelJobs,
  }
}
