import type { ClaimRequest } from '../api/core/claim.ts'
import { type Candidate, fitsAlone, type JobClass, labelsMatch, type SortMethod } from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { alongside } from './alongside.ts'
import type { ClassRow } from './claimed-jobs.ts'
import { notHandedBack } from './handed-back.ts'
import { openToPipe } from './pipe-members.ts'
import { type PassedOver, readPassedOver, reservationsOf } from './reservations.ts'
import { selectText } from './text-rows.ts'
import { all, one, type Statement, together, type Unit } from './unit.ts'

/** What a claim looks at before it takes anything: asked all at once, decided without another look. */

export type WorkflowRow = {
  id: number
  state: string
  is_canceled: number
  run_id: number
  jobs_sort_method: SortMethod
  has_user_data: number
  has_failure_handlers: number
  knows_node: number
}

/** A claim that was answered before: its tokens begin alike. */
export type ClaimRow = { token: string; job_ids: string }

export type ClaimLook = {
  repeated: ClaimRow | undefined
  workflow: WorkflowRow | undefined
  rows: Map<number, ClassRow>
  passedOver: PassedOver[]
  /** The candidates of classes that were expected to count. */
  expected: CandidateLists | undefined
}

/** The most urgent ready jobs of some classes. */
export type CandidateLists = { classes: readonly JobClass[]; candidates: Candidate[] }

const WORKFLOW = `
  SELECT id, state, is_canceled, run_id, jobs_sort_method,
    EXISTS (SELECT 1 FROM user_data WHERE workflow_id = w.id) AS has_user_data,
    EXISTS (SELECT 1 FROM failure_handler WHERE workflow_id = w.id) AS has_failure_handlers,
    ?2 IS NULL OR EXISTS (SELECT 1 FROM compute_node WHERE id = ?2 AND workflow_id = w.id) AS knows_node
  FROM workflow w WHERE id = ?1 AND state IN ('live', 'initializing')`

const CLASSES = `
  SELECT c.id, c.workflow_id, c.resource_requirements_id, c.scheduler_id, c.labels,
    r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime, r.memory_bytes, r.runtime_seconds
  FROM job_class c JOIN resource_requirements r ON r.id = c.resource_requirements_id WHERE c.workflow_id = ?`

/** Looks at all that does not depend on each other. `expected`: classes that will count, as an earlier look has found. */
export function* lookForClaim(
  workflowId: number,
  request: ClaimRequest,
  expected?: readonly JobClass[],
): Unit<ClaimLook> {
  const [repeated, workflow, classes, passedOver, candidates] = yield* alongside(
    findClaim(workflowId, request.claimId),
    one<WorkflowRow>(WORKFLOW, workflowId, request.computeNodeId ?? null),
    all<ClassRow>(CLASSES, workflowId),
    readPassedOver(request),
    readCandidates(workflowId, expected ?? [], request),
  )
  return {
    repeated,
    workflow,
    rows: new Map(classes.map(row => [row.id, row])),
    passedOver,
    expected: expected && { classes: expected, candidates },
  }
}

function* findClaim(workflowId: number, claimId: string | undefined): Unit<ClaimRow | undefined> {
  if (claimId === undefined) return undefined
  return yield* one<ClaimRow>(
    'SELECT token, job_ids FROM claim WHERE claim_id = ? AND workflow_id = ?',
    claimId,
    workflowId,
  )
}

/** Why nothing is handed out whatever is ready, or the classes that may be. */
export type Opening =
  | { open: false; missing: 'workflow' | 'compute_node' }
  | { open: false; missing: undefined; reason?: string }
  | { open: true; workflow: WorkflowRow; classes: JobClass[] }

export function openClaim({ workflow, rows }: ClaimLook, request: ClaimRequest): Opening {
  if (workflow === undefined) return { open: false, missing: 'workflow' }
  if (workflow.is_canceled === 1) {
    const reason = request.offer === undefined ? undefined : 'Workflow is canceled'
    return { open: false, missing: undefined, reason }
  }
  // Being initialised: its jobs are no one's until the last small transaction (design.md 2).
  if (workflow.state !== 'live') return { open: false, missing: undefined }
  if (request.limit <= 0 && (request.hold?.jobs ?? 0) <= 0) return { open: false, missing: undefined }
  if (workflow.knows_node === 0) return { open: false, missing: 'compute_node' }
  const classes = [...rows.values()]
    .map(toClass)
    .filter(jobClass => labelsMatch(request.labels, jobClass.labels) && mayFit(jobClass, request))
  return { open: true, workflow, classes }
}

export const toClass = (row: ClassRow): JobClass => ({
  id: row.id,
  cpus: row.num_cpus,
  gpus: row.num_gpus,
  nodes: row.num_nodes,
  memoryBytes: row.memory_bytes,
  runtimeSeconds: row.runtime_seconds,
  schedulerId: row.scheduler_id,
  labels: row.labels,
})

/** Fits what is free now, what a running job leaves to its successor, or the whole node: the last matters for reservations only. */
export const mayFit = (jobClass: JobClass, request: ClaimRequest): boolean =>
  fitsNow(jobClass, request) || (request.total !== undefined && fitsAlone(jobClass, request.total))

export const fitsNow = (jobClass: JobClass, { offer, hold }: ClaimRequest): boolean =>
  offer === undefined || fitsAlone(jobClass, offer) || (hold !== undefined && fitsAlone(jobClass, hold.offer))

/**
 * The classes a claim may take from by scheduler: every class when none of its own has a ready job and the match is lenient.
 * `isReady` tells whether a class has one.
 */
export function schedulerChoice(
  request: ClaimRequest,
  classes: readonly JobClass[],
  isReady: (jobClass: JobClass) => boolean,
): readonly JobClass[] {
  if (request.offer === undefined) return classes
  const offered = request.schedulerConfigId ?? null
  const own = classes.filter(jobClass => jobClass.schedulerId === null || jobClass.schedulerId === offered)
  if (own.length === classes.length || request.strictSchedulerMatch === true) return own
  return own.some(isReady) ? own : classes
}

/** The most urgent ready jobs of each class: no more than the claim could take, so the cost does not grow with the queue. */
function* readCandidates(workflowId: number, classes: readonly JobClass[], request: ClaimRequest): Unit<Candidate[]> {
  const wanted = Math.max(request.limit, 0) + (request.hold?.jobs ?? 0)
  if (classes.length === 0) return []
  const lists = yield* together(
    classes.map(
      (jobClass): Statement => ({
        sql: CANDIDATES.sql,
        args: [workflowId, jobClass.id, wanted, request.computeNodeId ?? null],
      }),
    ),
  )
  return classes.flatMap((jobClass, index) =>
    CANDIDATES.rowsOf(lists[index]!).map(({ id, priority }) => ({ id, priority, class: jobClass })),
  )
}

const CANDIDATES = selectText<{ id: number; priority: number }>(
  { id: 'id', priority: 'priority' },
  `FROM (
    SELECT id, priority FROM job INDEXED BY job_ready
    WHERE workflow_id = ?1 AND class_id = ?2 AND status = ${STATUS.ready} AND waits_until IS NULL AND ${notHandedBack('?4')}
      AND ${openToPipe('?4')}
    ORDER BY priority DESC, id LIMIT ?3)`,
)

/** What a claim may take: the candidates, or the one job its node is kept free for; and what the node need not remember any more. */
export type Choice = { candidates: Candidate[]; isReserved: boolean; gone: number[] }

/** Reads the candidates unless the look has found them. */
export function* chooseCandidates(
  workflowId: number,
  look: ClaimLook,
  classes: readonly JobClass[],
  request: ClaimRequest,
  now: number,
): Unit<Choice> {
  const known = look.expected && isSame(look.expected.classes, classes) ? look.expected.candidates : undefined
  const found = known ?? (yield* readCandidates(workflowId, classes, request))
  const ready = new Set(found.map(candidate => candidate.class.id))
  const chosen = schedulerChoice(request, classes, jobClass => ready.has(jobClass.id))
  const { reserved, gone } = reservationsOf(look.passedOver, chosen, now)
  if (reserved !== undefined) return { candidates: [reserved], isReserved: true, gone }
  const ids = new Set(chosen.map(jobClass => jobClass.id))
  return { candidates: found.filter(candidate => ids.has(candidate.class.id)), isReserved: false, gone }
}

const isSame = (some: readonly JobClass[], others: readonly JobClass[]): boolean =>
  some.map(jobClass => jobClass.id).join() === others.map(jobClass => jobClass.id).join()

/** Ids of a workflow's classes that have a ready job for the node. */
export function* readyClasses(workflowId: number, computeNodeId: number | undefined): Unit<Set<number>> {
  const rows = yield* all<{ id: number }>(READY_CLASSES, workflowId, computeNodeId ?? null)
  return new Set(rows.map(row => row.id))
}

const READY_CLASSES = `
  SELECT c.id FROM job_class c WHERE c.workflow_id = ?1 AND EXISTS (SELECT 1 FROM job j INDEXED BY job_ready
    WHERE j.workflow_id = ?1 AND j.class_id = c.id AND j.status = ${STATUS.ready} AND j.waits_until IS NULL
      AND ${notHandedBack('?2', 'j')} AND ${openToPipe('?2', 'j')})`
