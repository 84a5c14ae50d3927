import { workflowOptions } from '../api/core/spec/options.ts'
import type { ExpandedWorkflow } from '../api/core/spec/types.ts'
import { JOB_STATUSES } from '../api/core/status.ts'
import { CALLER, callerArgs, MAY_USE, type Subject } from './access-control.ts'
import { showWhenWhole } from './creating.ts'
import { optionsText } from './options-text.ts'
import { reserveIds } from './reserve-ids.ts'
import { insertRows } from './rows.ts'
import { type Db, one, run, type SqlValue, type Unit } from './unit.ts'
import { CHUNK, countRows, type Ids, JobClasses, listPieces } from './workflow-pieces.ts'

/** Who made the workflow and from what, beside what the file says. */
export type Origin = {
  user: string
  now: number
  /** Working directory of the command that created it. */
  submissionDirectory?: string
  sourcePath?: string
  /** Hash of the expansion, by which the same command finds its workflow again. */
  sourceHash?: string
}

const DEFAULT_REQUIREMENTS = {
  name: 'default',
  numCpus: 1,
  numGpus: 0,
  numNodes: 1,
  memory: '1m',
  memoryBytes: 1_048_576,
  runtime: 'P0DT1M',
  runtimeSeconds: 60,
}

/**
 * Creates a whole workflow from an expanded file; returns its id. A large one is written in pieces while its state is `creating`,
 * so nobody ever sees half of it; what a crash leaves behind, tick removes. `settle` runs in the transaction that shows the workflow; when
 * it throws, there is no workflow.
 */
export async function createWorkflow(
  db: Db,
  workflow: ExpandedWorkflow,
  origin: Origin,
  settle: (workflowId: number) => Unit<void> = nothingMore,
): Promise<number> {
  const classes = new JobClasses(workflow)
  if (countRows(workflow) <= CHUNK) {
    return db.write(function* () {
      const ids = yield* insertHead(workflow, classes, origin, 'live')
      for (const piece of listPieces(workflow, classes, ids)) yield* piece()
      yield* settle(ids.workflow)
      return ids.workflow
    })
  }
  const ids = await db.write(() => insertHead(workflow, classes, origin, 'creating'))
  return showWhenWhole(db, ids.workflow, async () => {
    for (const piece of listPieces(workflow, classes, ids)) await db.write(piece)
    return () => settle(ids.workflow)
  })
}

function* nothingMore(): Unit<void> {}

/** The workflow itself and its short lists. */
function* insertHead(
  workflow: ExpandedWorkflow,
  classes: JobClasses,
  origin: Origin,
  state: 'live' | 'creating',
): Unit<Ids> {
  const ids: Ids = {
    workflow: yield* reserveIds('workflow', 1),
    jobs: yield* reserveIds('job', workflow.jobs.length),
    files: yield* reserveIds('file', workflow.files.length),
    userData: yield* reserveIds('user_data', workflow.userData.length),
    requirements: yield* reserveIds('resource_requirements', workflow.resourceRequirements.length + 1),
    handlers: yield* reserveIds('failure_handler', workflow.failureHandlers.length),
    schedulers: yield* reserveIds('slurm_scheduler', workflow.slurmSchedulers.length),
    actions: yield* reserveIds('action', workflow.actions.length),
  }
  yield* insertWorkflow(ids.workflow, workflow, origin, state)
  yield* insertRows(
    'workflow_count',
    ['workflow_id', 'status', 'n'],
    JOB_STATUSES.map((_, status) => [ids.workflow, status, 0]),
  )
  yield* insertRows(
    'resource_requirements',
    [
      'id',
      'workflow_id',
      'name',
      'num_cpus',
      'num_gpus',
      'num_nodes',
      'memory',
      'runtime',
      'memory_bytes',
      'runtime_seconds',
    ],
    [DEFAULT_REQUIREMENTS, ...workflow.resourceRequirements].map((set, index) => [
      ids.requirements + index,
      ids.workflow,
      set.name,
      set.numCpus,
      set.numGpus,
      set.numNodes,
      set.memory,
      set.runtime,
      set.memoryBytes,
      set.runtimeSeconds,
    ]),
  )
  yield* insertRows(
    'failure_handler',
    ['id', 'workflow_id', 'name', 'rules'],
    workflow.failureHandlers.map((handler, index) => [ids.handlers + index, ids.workflow, handler.name, handler.rules]),
  )
  yield* insertRows(
    'slurm_scheduler',
    [
      'id',
      'workflow_id',
      'name',
      'account',
      'gres',
      'mem',
      'nodes',
      'ntasks_per_node',
      'partition',
      'qos',
      'tmp',
      'walltime',
      'extra',
      'serialize_allocations',
    ],
    workflow.slurmSchedulers.map((scheduler, index) => [
      ids.schedulers + index,
      ids.workflow,
      scheduler.name,
      scheduler.account,
      scheduler.gres ?? null,
      scheduler.mem ?? null,
      scheduler.nodes,
      scheduler.ntasksPerNode ?? null,
      scheduler.partition ?? null,
      scheduler.qos ?? null,
      scheduler.tmp ?? null,
      scheduler.walltime,
      scheduler.extra ?? null,
      Number(scheduler.serializeAllocations),
    ]),
  )
  yield* insertActions(ids, workflow)
  yield* classes.insert(ids)
  return ids
}

function* insertWorkflow(id: number, workflow: ExpandedWorkflow, origin: Origin, state: string): Unit<void> {
  const objects = {
    metadata: workflow.metadata,
    slurm_defaults: json(workflow.slurmDefaults),
    execution_config: json(workflow.executionConfig),
    resource_monitor_config: json(workflow.resourceMonitorConfig),
  }
  const row: Record<string, SqlValue> = {
    id,
    name: workflow.name,
    user: origin.user,
    description: workflow.description ?? null,
    project: workflow.project ?? null,
    state,
    state_since: origin.now,
    created_at: origin.now,
    env: json(workflow.env) ?? null,
    jobs_sort_method: workflow.jobsSortMethod,
    use_pending_failed: Number(workflow.usePendingFailed),
    enable_ro_crate: Number(workflow.enableRoCrate),
    wait_for_new_jobs_seconds: workflow.computeNodeWaitForNewJobsSeconds,
    ignore_workflow_completion: Number(workflow.computeNodeIgnoreWorkflowCompletion),
    wait_for_healthy_database_minutes: workflow.computeNodeWaitForHealthyDatabaseMinutes,
    metadata: objects.metadata ?? null,
    slurm_defaults: objects.slurm_defaults ?? null,
    execution_config: objects.execution_config ?? null,
    resource_monitor_config: objects.resource_monitor_config ?? null,
    json_objects: Object.entries(objects)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name)
      .join(),
    dynamic_jobs:
      workflow.dynamicJobs === undefined
        ? null
        : JSON.stringify({ max_iterations: workflow.dynamicJobs.maxIterations }),
    submission_directory: origin.submissionDirectory ?? null,
    loss_budget: workflow.lossBudget,
    options: optionsText(workflowOptions(workflow)),
    source_path: origin.sourcePath ?? null,
    source_hash: origin.sourceHash ?? null,
  }
  const columns = Object.keys(row)
  yield* run(`INSERT INTO workflow(${columns.join()}) VALUES (${columns.map(() => '?').join()})`, ...Object.values(row))
}

const json = (value: object | undefined): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value)

function* insertActions(ids: Ids, workflow: ExpandedWorkflow): Unit<void> {
  yield* insertRows(
    'action',
    ['id', 'workflow_id', 'trigger_type', 'action_type', 'action_config', 'required_triggers', 'persistent'],
    workflow.actions.map((action, index) => [
      ids.actions + index,
      ids.workflow,
      action.triggerType,
      action.config.actionType,
      JSON.stringify(actionConfig(action.config, ids)),
      action.requiredTriggers,
      Number(action.persistent),
    ]),
  )
  yield* insertRows(
    'action_job',
    ['job_id', 'action_id'],
    workflow.actions.flatMap((action, index) => action.jobs.map(job => [ids.jobs + job, ids.actions + index])),
    'OR IGNORE',
  )
}

function actionConfig(config: ExpandedWorkflow['actions'][number]['config'], ids: Ids): object {
  if (config.actionType === 'run_commands') return { commands: config.commands }
  return {
    scheduler_id: ids.schedulers + config.scheduler,
    scheduler_type: config.schedulerType,
    num_allocations: config.numAllocations,
    start_one_worker_per_node: config.startOneWorkerPerNode,
    max_parallel_jobs: config.maxParallelJobs,
  }
}

/** The newest workflow that was made from this file, and whether its content was the same. */
export function* findBySource(
  sourcePath: string,
  subject: Subject | undefined,
): Unit<{ id: number; source_hash: string } | undefined> {
  return yield* one(
    `SELECT workflow.id, workflow.source_hash FROM ${CALLER}, workflow
     WHERE workflow.source_path = ? AND workflow.state = 'live' AND ${subject === undefined ? 'true' : MAY_USE}
     ORDER BY workflow.id DESC LIMIT 1`,
    ...callerArgs(subject ?? { name: null }),
    sourcePath,
  )
}
