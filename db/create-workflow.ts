import type { ExpandedJob, ExpandedWorkflow } from '../api/core/spec/types.ts'
import { JOB_STATUSES } from '../api/core/status.ts'
import { insertRows } from './rows.ts'
import { all, type Db, one, run, type SqlValue, type Unit } from './unit.ts'

/** Rows written in one transaction while a large workflow is made, so that none lasts longer than about 100 ms. */
const CHUNK = 5_000

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

/** Where the rows of each list begin: the item at index i has the id `first + i`. */
type Ids = {
  workflow: number
  jobs: number
  files: number
  userData: number
  requirements: number
  handlers: number
  schedulers: number
  actions: number
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
 * so nobody ever sees half of it; what a crash leaves behind, tick removes.
 */
export async function createWorkflow(db: Db, workflow: ExpandedWorkflow, origin: Origin): Promise<number> {
  const classes = new JobClasses(workflow)
  if (countRows(workflow) <= CHUNK) {
    return db.write(function* () {
      const ids = yield* insertHead(workflow, classes, origin, 'live')
      for (const piece of listPieces(workflow, classes, ids)) yield* piece()
      return ids.workflow
    })
  }
  const ids = await db.write(() => insertHead(workflow, classes, origin, 'creating'))
  for (const piece of listPieces(workflow, classes, ids)) await db.write(piece)
  await db.write(() =>
    run(`UPDATE workflow SET state = 'live', state_since = NULL WHERE id = ? AND state = 'creating'`, ids.workflow),
  )
  return ids.workflow
}

function countRows({ jobs, files, userData }: ExpandedWorkflow): number {
  let rows = files.length + userData.length + jobs.length
  for (const job of jobs) for (const links of LINKS) rows += job[links.field].length
  return rows
}

/** Reserves `count` ids of a table and returns the first one. Ids are never given twice, also not after deletes. */
export function* reserveIds(table: string, count: number): Unit<number> {
  yield* run(
    'INSERT INTO sqlite_sequence(name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)',
    table,
  )
  const [row] = yield* all<{ seq: number }>(
    'UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ? RETURNING seq',
    count,
    table,
  )
  return row!.seq - count + 1
}

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
  const options = {
    retry: workflow.retry,
    transient: workflow.transient,
    deterministic: workflow.deterministic,
    eject: workflow.eject,
    site: workflow.site,
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
    options: optionsText(options),
    source_path: origin.sourcePath ?? null,
    source_hash: origin.sourceHash ?? null,
  }
  const columns = Object.keys(row)
  yield* run(`INSERT INTO workflow(${columns.join()}) VALUES (${columns.map(() => '?').join()})`, ...Object.values(row))
}

const json = (value: object | undefined): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value)

/** Keys of ours as one JSON text; null when none is set. */
function optionsText(options: object): string | null {
  const text = JSON.stringify(options)
  return text === '{}' ? null : text
}

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

/** The long lists, cut into pieces of one transaction each. */
function* listPieces(workflow: ExpandedWorkflow, classes: JobClasses, ids: Ids): Generator<() => Unit<void>> {
  const { files, userData, jobs } = workflow
  for (const [from, to] of ranges(files.length)) yield () => insertFiles(ids, workflow, from, to)
  for (const [from, to] of ranges(userData.length)) yield () => insertUserData(ids, workflow, from, to)
  for (const [from, to] of ranges(jobs.length)) yield () => insertJobs(ids, jobs, classes, from, to)
  for (const { field, table, columns, row } of LINKS) {
    // A link given twice counts once.
    for (const rows of inChunks(linkRows(jobs, field, (job, link) => row(ids, job, link))))
      yield () => insertRows(table, columns, rows, 'OR IGNORE')
  }
}

function* ranges(length: number): Generator<[number, number]> {
  for (let from = 0; from < length; from += CHUNK) yield [from, Math.min(from + CHUNK, length)]
}

function* inChunks<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

type LinkField = 'dependsOn' | 'inputFiles' | 'outputFiles' | 'inputUserData' | 'outputUserData'
type Link = {
  field: LinkField
  table: string
  columns: string[]
  row(ids: Ids, job: number, linked: number): number[]
}

/** Where the lists of a job that name other things are stored. */
const LINKS: readonly Link[] = [
  {
    field: 'dependsOn',
    table: 'job_edge',
    columns: ['depends_on_job_id', 'job_id'],
    row: (ids, job, linked) => [ids.jobs + linked, ids.jobs + job],
  },
  ...(['inputFiles', 'outputFiles'] as const).map(
    (field, isOutput): Link => ({
      field,
      table: 'job_file',
      columns: ['job_id', 'is_output', 'file_id'],
      row: (ids, job, linked) => [ids.jobs + job, isOutput, ids.files + linked],
    }),
  ),
  ...(['inputUserData', 'outputUserData'] as const).map(
    (field, isOutput): Link => ({
      field,
      table: 'job_user_data',
      columns: ['job_id', 'is_output', 'user_data_id'],
      row: (ids, job, linked) => [ids.jobs + job, isOutput, ids.userData + linked],
    }),
  ),
]

function* linkRows(
  jobs: readonly ExpandedJob[],
  field: LinkField,
  row: (job: number, linked: number) => number[],
): Generator<number[]> {
  for (const [job, links] of jobs.entries()) for (const linked of links[field]) yield row(job, linked)
}

function* insertFiles(ids: Ids, { files }: ExpandedWorkflow, from: number, to: number): Unit<void> {
  const rows = files
    .slice(from, to)
    .map((file, k) => [
      ids.files + from + k,
      ids.workflow,
      file.name,
      file.path,
      file.stMtime ?? null,
      file.identifier ?? null,
    ])
  yield* insertRows('file', ['id', 'workflow_id', 'name', 'path', 'st_mtime', 'identifier'], rows)
}

function* insertUserData(ids: Ids, { userData }: ExpandedWorkflow, from: number, to: number): Unit<void> {
  const rows = userData
    .slice(from, to)
    .map((item, k) => [ids.userData + from + k, ids.workflow, item.name, Number(item.isEphemeral), item.data ?? null])
  yield* insertRows('user_data', ['id', 'workflow_id', 'name', 'is_ephemeral', 'data'], rows)
}

/** The classes of a workflow's jobs: one for each combination of requirements, scheduler and labels. */
class JobClasses {
  readonly #keys = new Map<string, { requirements: number; scheduler: number | undefined; labels: string }>()
  readonly #ids = new Map<string, number>()

  constructor(workflow: ExpandedWorkflow) {
    for (const job of workflow.jobs) {
      const key = keyOf(job)
      if (!this.#keys.has(key)) {
        const requirements = job.resourceRequirements === undefined ? 0 : job.resourceRequirements + 1
        this.#keys.set(key, { requirements, scheduler: job.scheduler, labels: job.labels.join() })
      }
    }
  }

  *insert(ids: Ids): Unit<void> {
    let next = yield* reserveIds('job_class', this.#keys.size)
    const rows: SqlValue[][] = []
    for (const [key, { requirements, scheduler, labels }] of this.#keys) {
      this.#ids.set(key, next)
      rows.push([
        next++,
        ids.workflow,
        ids.requirements + requirements,
        scheduler === undefined ? null : ids.schedulers + scheduler,
        labels,
      ])
    }
    yield* insertRows('job_class', ['id', 'workflow_id', 'resource_requirements_id', 'scheduler_id', 'labels'], rows)
  }

  idOf(job: ExpandedJob): number {
    return this.#ids.get(keyOf(job))!
  }
}

const keyOf = (job: ExpandedJob): string =>
  `${job.resourceRequirements ?? ''} ${job.scheduler ?? ''} ${job.labels.join()}`

function* insertJobs(
  ids: Ids,
  jobs: readonly ExpandedJob[],
  classes: JobClasses,
  from: number,
  to: number,
): Unit<void> {
  const hot: SqlValue[][] = []
  const text: SqlValue[][] = []
  const envTexts = new Map<object, string>()
  for (let index = from; index < to; index++) {
    const job = jobs[index]!
    const id = ids.jobs + index
    hot.push([id, ids.workflow, job.priority, classes.idOf(job), Number(job.cancelOnBlockingJobFailure)])
    text.push([
      id,
      job.name,
      job.command,
      job.invocationScript ?? null,
      envText(job.env, envTexts),
      job.failureHandler === undefined ? null : ids.handlers + job.failureHandler,
      jobOptions(job),
    ])
  }
  yield* insertRows('job', ['id', 'workflow_id', 'priority', 'class_id', 'cancel_on_failure'], hot)
  yield* insertRows(
    'job_text',
    ['id', 'name', 'command', 'invocation_script', 'env', 'failure_handler_id', 'options'],
    text,
  )
  yield* run('UPDATE workflow_count SET n = n + ? WHERE workflow_id = ? AND status = 0', to - from, ids.workflow)
}

/** Jobs mostly share one environment object: it is written as text once. */
function envText(env: Record<string, string> | undefined, texts: Map<object, string>): string | null {
  if (env === undefined) return null
  let text = texts.get(env)
  if (text === undefined) {
    text = JSON.stringify(env)
    texts.set(env, text)
  }
  return text
}

function jobOptions(job: ExpandedJob): string | null {
  return optionsText({
    tags: job.tags,
    cwd: job.cwd,
    time_limit_seconds: job.timeLimitSeconds,
    retry: job.retry,
    transient: job.transient,
    deterministic: job.deterministic,
    eject: job.eject,
  })
}

/** The newest workflow that was made from this file, and whether its content was the same. */
export function* findBySource(sourcePath: string): Unit<{ id: number; source_hash: string } | undefined> {
  return yield* one(
    `SELECT id, source_hash FROM workflow WHERE source_path = ? AND state = 'live' ORDER BY id DESC LIMIT 1`,
    sourcePath,
  )
}
