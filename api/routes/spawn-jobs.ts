import { Hono } from 'hono'
import { refuseInitializing } from '../../db/initializing.ts'
import { insertJobs } from '../../db/insert-jobs.ts'
import { insertLinks, linksOf, NO_LINKS } from '../../db/job-links.ts'
import { blockNewJobs } from '../../db/job-status.ts'
import { findJobsByName, type JobRow, type NamedJob } from '../../db/jobs.ts'
import { findGeneration, recordFinalState, recordGeneration } from '../../db/lineages.ts'
import { findRequirementsByName } from '../../db/resource-requirements.ts'
import type { Unit } from '../../db/unit.ts'
import type { WorkflowRow } from '../../db/workflows.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { type SpawnJob, SpawnRequest } from '../contract/spawn.ts'
import { topologicalOrder } from '../core/graph.ts'
import { STATUS, statusWord } from '../core/status.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { needJob, needWorkflow } from './guards.ts'

/** Generations a lineage may have when its workflow names no cap. */
const DEFAULT_MAX_ITERATIONS = 1_000

/** A running job adds jobs that wait for it (contract/notes.md 19.7). A repeat of the same request gives the same ids and writes nothing. */
export function spawnRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/jobs/:id/spawn_jobs', async c => {
    const id = pathInteger(c, 'id')
    const { jobs, state, lineage: given } = await readBody(c, SpawnRequest)
    const reply = await db.write(function* () {
      const caller = yield* needJob(id)
      const workflow = yield* needWorkflow(caller.workflow_id)
      const lineage = given ?? caller.name
      refuseRepeats(jobs)
      yield* refuseInitializing(workflow.id)
      const generation = yield* findGeneration(workflow.id, lineage)
      const before = yield* findReplay(caller, jobs)
      if (before !== undefined) return { spawned_job_ids: before, iteration: generation }
      if (caller.status !== STATUS.running) {
        throw refusal(`Cannot spawn jobs as the status of job ${id} is ${statusWord(caller.status)}, not running`)
      }
      if (jobs.length === 0) {
        if (state != null) yield* recordFinalState(workflow.id, lineage, generation, state)
        return { spawned_job_ids: [], iteration: generation }
      }
      refuseTooMany(workflow, lineage, generation + 1)
      const ids = yield* spawn(workflow, caller, jobs, lineage)
      yield* recordGeneration(workflow.id, lineage, generation + 1, jobs.length, state)
      return { spawned_job_ids: ids, iteration: generation + 1 }
    })
    return c.json(reply)
  })
  return routes
}

const refusal = (message: string, field?: string): AppError =>
  new AppError('invalid', message, field === undefined ? {} : { field })

function refuseRepeats(jobs: readonly SpawnJob[]): void {
  if (new Set(jobs.map(job => job.name)).size < jobs.length)
    throw refusal('Cannot spawn jobs as two of them have one name', 'jobs')
}

/** The ids of an earlier request that was the same; 422 when only some of the names exist, or the jobs are not this caller's. */
function* findReplay(caller: JobRow, jobs: readonly SpawnJob[]): Unit<number[] | undefined> {
  const names = jobs.map(job => job.name)
  const found = yield* findJobsByName(caller.workflow_id, names)
  if (found.length === 0) return undefined
  const byName = new Map(found.map(job => [job.name, job]))
  const links = yield* linksOf(found.map(job => job.id))
  const isOwn = (job: NamedJob) => job.origin === 'spawn' && links.get(job.id)?.depends_on_job_ids.includes(caller.id)
  if (found.length !== jobs.length || byName.size !== jobs.length || !found.every(isOwn)) {
    throw refusal(
      'Cannot spawn jobs as jobs of these names exist and are not those of an earlier, equal request',
      'jobs',
    )
  }
  return names.map(name => byName.get(name)!.id)
}

function refuseTooMany(workflow: WorkflowRow, lineage: string, generation: number): void {
  const config: { max_iterations?: number | null } =
    workflow.dynamic_jobs === null ? {} : JSON.parse(workflow.dynamic_jobs)
  const most = config.max_iterations ?? DEFAULT_MAX_ITERATIONS
  if (generation > most)
    throw refusal(`Cannot spawn jobs as lineage ${JSON.stringify(lineage)} has had its ${most} iterations`)
}

function* spawn(workflow: WorkflowRow, caller: JobRow, jobs: readonly SpawnJob[], lineage: string): Unit<number[]> {
  const requirements = yield* requirementsByName(workflow.id, jobs)
  const dependencies = yield* dependenciesOf(workflow.id, jobs)
  const env = JSON.stringify({
    ...(workflow.env === null ? {} : JSON.parse(workflow.env)),
    TORC_ORCHESTRATOR_LINEAGE_ID: lineage,
  })
  const spawned = yield* insertJobs(
    workflow.id,
    jobs.map(job => ({
      ...NO_LINKS,
      name: job.name,
      command: job.command,
      invocation_script: null,
      env,
      priority: job.priority ?? 0,
      cancel_on_failure: job.cancel_on_blocking_job_failure ?? true,
      supports_termination: false,
      resource_requirements_id: requirements.get(job.resource_requirements ?? 'default')!,
      scheduler_id: null,
      labels: (job.labels ?? []).join(),
      failure_handler_id: null,
      origin: 'spawn' as const,
    })),
  )
  const ids = spawned.map(job => job.id)
  yield* insertLinks(
    ids.map((id, index) => ({
      ...NO_LINKS,
      id,
      // A job may also name its caller.
      depends_on_job_ids: [
        ...new Set([caller.id, ...dependencies[index]!.map(on => ('id' in on ? on.id : ids[on.position]!))]),
      ],
    })),
  )
  yield* blockNewJobs(ids)
  return ids
}

function* requirementsByName(workflowId: number, jobs: readonly SpawnJob[]): Unit<Map<string, number>> {
  const found = new Map<string, number>()
  for (const name of new Set(jobs.map(job => job.resource_requirements ?? 'default'))) {
    const row = yield* findRequirementsByName(workflowId, name)
    if (row === undefined)
      throw refusal(
        `Cannot spawn jobs as there are no resource requirements ${JSON.stringify(name)}`,
        'resource_requirements',
      )
    found.set(name, row.id)
  }
  return found
}

/** What a spawned job waits for: a job of the workflow, or one of the batch by its position. */
type Dependency = { id: number } | { position: number }

function* dependenciesOf(workflowId: number, jobs: readonly SpawnJob[]): Unit<Dependency[][]> {
  const positions = new Map(jobs.map((job, index) => [job.name, index]))
  const outside = new Set(jobs.flatMap(job => job.depends_on ?? []).filter(name => !positions.has(name)))
  const known = new Map<string, number>()
  for (const job of yield* findJobsByName(workflowId, [...outside])) {
    if (known.has(job.name))
      throw refusal(`Cannot spawn jobs as several jobs have the name ${JSON.stringify(job.name)}`, 'depends_on')
    known.set(job.name, job.id)
  }
  const dependencies = jobs.map(job =>
    [...new Set(job.depends_on ?? [])].map((name): Dependency => {
      const position = positions.get(name)
      if (position !== undefined) return { position }
      const id = known.get(name)
      if (id === undefined) throw refusal(`Cannot spawn jobs as there is no job ${JSON.stringify(name)}`, 'depends_on')
      return { id }
    }),
  )
  refuseCycle(dependencies)
  return dependencies
}

function refuseCycle(dependencies: readonly Dependency[][]): void {
  const edges = dependencies.flatMap((all, to) =>
    all.flatMap(on => ('position' in on ? [{ from: on.position, to }] : [])),
  )
  const graph = { size: dependencies.length, from: edges.map(edge => edge.from), to: edges.map(edge => edge.to) }
  if (topologicalOrder(graph).order === undefined)
    throw refusal('Cannot spawn jobs as they wait for each other', 'depends_on')
}
