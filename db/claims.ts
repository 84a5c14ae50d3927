import type { ClaimRequest } from '../api/core/claim.ts'
import {
  type Candidate,
  claimOrder,
  fitsAlone,
  type JobClass,
  labelsMatch,
  type Offer,
  pack,
  type SortMethod,
} from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { type ClaimedJob, type ClassRow, describeJobs } from './claimed-jobs.ts'
import { forgetPassedOver, readReservations, rememberPassedOver } from './reservations.ts'
import { appendEvents } from './stream-events.ts'
import { all, one, run, type SqlValue, type Statement, together, type Unit } from './unit.ts'

export type ClaimReply = { jobs: ClaimedJob[]; reason?: string }

/** `missing` names what the claim speaks of and this workflow does not have. */
export type ClaimOutcome = { missing: undefined; reply: ClaimReply } | { missing: 'workflow' | 'compute_node' }

type WorkflowRow = {
  state: string
  is_canceled: number
  run_id: number
  jobs_sort_method: SortMethod
  has_user_data: number
  has_failure_handlers: number
  knows_node: number
}

const WORKFLOW = `
  SELECT state, is_canceled, run_id, jobs_sort_method,
    EXISTS (SELECT 1 FROM user_data WHERE workflow_id = w.id) AS has_user_data,
    EXISTS (SELECT 1 FROM failure_handler WHERE workflow_id = w.id) AS has_failure_handlers,
    ?2 IS NULL OR EXISTS (SELECT 1 FROM compute_node WHERE id = ?2 AND workflow_id = w.id) AS knows_node
  FROM workflow w WHERE id = ?1 AND state IN ('live', 'initializing')`

const CLASSES = `
  SELECT c.id, c.resource_requirements_id, c.scheduler_id, c.labels,
    r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime, r.memory_bytes, r.runtime_seconds
  FROM job_class c JOIN resource_requirements r ON r.id = c.resource_requirements_id WHERE c.workflow_id = ?`

/** What the probe and the claim know before they look at jobs. */
type Opening =
  | { open: false; outcome: ClaimOutcome }
  | { open: true; workflow: WorkflowRow; rows: Map<number, ClassRow>; classes: JobClass[] }

const closed = (reply: ClaimReply): Opening => ({ open: false, outcome: { missing: undefined, reply } })

function* openClaim(workflowId: number, request: ClaimRequest): Unit<Opening> {
  const workflow = yield* one<WorkflowRow>(WORKFLOW, workflowId, request.computeNodeId ?? null)
  if (workflow === undefined) return { open: false, outcome: { missing: 'workflow' } }
  if (workflow.is_canceled === 1)
    return closed({ jobs: [], reason: request.offer === undefined ? undefined : 'Workflow is canceled' })
  // Being initialised: its jobs are no one's until the last small transaction (design.md 2).
  if (workflow.state !== 'live') return closed({ jobs: [] })
  if (request.limit <= 0 && (request.hold?.jobs ?? 0) <= 0) return closed({ jobs: [] })
  if (workflow.knows_node === 0) return { open: false, outcome: { missing: 'compute_node' } }
  const rows = yield* readClasses(workflowId)
  const allowed = [...rows.values()]
    .map(toClass)
    .filter(jobClass => labelsMatch(request.labels, jobClass.labels) && mayFit(jobClass, request))
  return { open: true, workflow, rows, classes: yield* schedulerChoice(workflowId, request, allowed) }
}

function* readClasses(workflowId: number): Unit<Map<number, ClassRow>> {
  return new Map((yield* all<ClassRow>(CLASSES, workflowId)).map(row => [row.id, row]))
}

const toClass = (row: ClassRow): JobClass => ({
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
const mayFit = (jobClass: JobClass, request: ClaimRequest): boolean =>
  fitsNow(jobClass, request) || (request.total !== undefined && fitsAlone(jobClass, request.total))

const fitsNow = (jobClass: JobClass, { offer, hold }: ClaimRequest): boolean =>
  offer === undefined || fitsAlone(jobClass, offer) || (hold !== undefined && fitsAlone(jobClass, hold.offer))

/** The classes a claim may take from by scheduler; every class when none of those has a ready job and the match is lenient. */
function* schedulerChoice(workflowId: number, request: ClaimRequest, classes: readonly JobClass[]): Unit<JobClass[]> {
  if (request.offer === undefined) return [...classes]
  const offered = request.schedulerConfigId ?? null
  const own = classes.filter(jobClass => jobClass.schedulerId === null || jobClass.schedulerId === offered)
  if (own.length === classes.length || request.strictSchedulerMatch === true) return own
  return (yield* anyReady(workflowId, own)) ? own : [...classes]
}

function* anyReady(workflowId: number, classes: readonly JobClass[]): Unit<boolean> {
  if (classes.length === 0) return false
  return (yield* one(ANY_READY, workflowId, JSON.stringify(classes.map(jobClass => jobClass.id)))) !== undefined
}

const ANY_READY = `
  SELECT 1 FROM json_each(?2) AS class CROSS JOIN job j INDEXED BY job_ready
  ON j.workflow_id = ?1 AND j.status = ${STATUS.ready} AND j.class_id = class.value LIMIT 1`

/**
 * The look before the lock: whether a claim could get anything. Errs only towards `maybe`, so an empty claim never begins a
 * write transaction.
 */
export function* probeClaim(
  workflowId: number,
  request: ClaimRequest,
  now: number,
): Unit<{ maybe: true } | { maybe: false; outcome: ClaimOutcome }> {
  if (yield* findClaim(workflowId, request.claimId)) return { maybe: true }
  const opening = yield* openClaim(workflowId, request)
  if (!opening.open) return { maybe: false, outcome: opening.outcome }
  const { reserved } = yield* readReservations(request, opening.classes, now)
  const usable = reserved === undefined ? opening.classes : [reserved.class]
  if (
    yield* anyReady(
      workflowId,
      usable.filter(jobClass => fitsNow(jobClass, request)),
    )
  )
    return { maybe: true }
  return { maybe: false, outcome: { missing: undefined, reply: { jobs: [] } } }
}

/**
 * Claims ready jobs for one runner inside the caller's transaction: packed over the ordered candidates, ready to pending (or running
 * with `start`). A repeated claim_id gets the same jobs again, as far as they are still held. `secret` is 128 random bits as text;
 * the tokens are made from it.
 */
export function* claimJobs(
  workflowId: number,
  request: ClaimRequest,
  { now, secret }: { now: number; secret: string },
): Unit<ClaimOutcome> {
  const repeated = yield* repeatClaim(workflowId, request.claimId)
  if (repeated !== undefined) return { missing: undefined, reply: repeated }
  const opening = yield* openClaim(workflowId, request)
  if (!opening.open) return opening.outcome
  const { workflow, rows, classes } = opening

  const { reserved, gone } = yield* readReservations(request, classes, now)
  yield* forgetPassedOver(request.computeNodeId, gone)
  const candidates = reserved === undefined ? yield* readCandidates(workflowId, classes, request) : [reserved]
  candidates.sort(claimOrder(request.offer === undefined ? 'none' : workflow.jobs_sort_method))
  const { taken, held, passedOver } = pack(candidates, request.offer ?? UNLIMITED, {
    limit: request.limit,
    total: request.total,
    hold: reserved === undefined ? holdOf(request) : undefined,
  })
  if (taken.length + held.length === 0) return { missing: undefined, reply: { jobs: [] } }

  const token = `${secret}.`
  yield* takeJobs(taken, request.start === true ? STATUS.running : STATUS.pending, request, token, now)
  yield* takeJobs(held, STATUS.pending, request, token, now)
  const ids = [...taken, ...held].map(candidate => candidate.id)
  if (request.claimId !== undefined) {
    yield* run('INSERT INTO claim VALUES (?, ?, ?, ?, ?)', request.claimId, workflowId, token, JSON.stringify(ids), now)
  }
  yield* rememberPassedOver(request.computeNodeId, passedOver, now)
  if (request.start === true) {
    const data = { compute_node_id: request.computeNodeId, run_id: workflow.run_id }
    yield* appendEvents(
      workflowId,
      now,
      taken.map(({ id }) => ({ type: 'job_started', jobId: id, data })),
    )
  }
  return { missing: undefined, reply: { jobs: yield* describe(workflowId, ids, workflow, rows) } }
}

/** A queue-depth runner ignores requirements, also of what it holds. */
const holdOf = ({ offer, hold }: ClaimRequest): ClaimRequest['hold'] =>
  hold && offer === undefined ? { ...hold, offer: UNLIMITED } : hold

const UNLIMITED: Offer = {
  cpus: Number.POSITIVE_INFINITY,
  memoryBytes: Number.POSITIVE_INFINITY,
  gpus: Number.POSITIVE_INFINITY,
  nodes: Number.MAX_SAFE_INTEGER,
}

type ClaimRow = { token: string; job_ids: string }

function* findClaim(workflowId: number, claimId: string | undefined): Unit<ClaimRow | undefined> {
  if (claimId === undefined) return undefined
  return yield* one<ClaimRow>(
    'SELECT token, job_ids FROM claim WHERE claim_id = ? AND workflow_id = ?',
    claimId,
    workflowId,
  )
}

function* repeatClaim(workflowId: number, claimId: string | undefined): Unit<ClaimReply | undefined> {
  const claim = yield* findClaim(workflowId, claimId)
  const workflow = claim && (yield* one<WorkflowRow>(WORKFLOW, workflowId, null))
  if (claim === undefined || workflow === undefined) return undefined
  const held = yield* all<{ id: number }>(
    'SELECT j.id FROM json_each(?) AS told CROSS JOIN job j ON j.id = told.value WHERE j.claim_token = ? || j.id ORDER BY told.key',
    claim.job_ids,
    claim.token,
  )
  const ids = held.map(row => row.id)
  return { jobs: yield* describe(workflowId, ids, workflow, yield* readClasses(workflowId)) }
}

const describe = (workflowId: number, ids: readonly number[], workflow: WorkflowRow, rows: Map<number, ClassRow>) =>
  describeJobs(workflowId, ids, rows, {
    userData: workflow.has_user_data === 1,
    failureHandlers: workflow.has_failure_handlers === 1,
  })

/** The most urgent ready jobs of each class: no more than the claim could take, so the cost does not grow with the queue. */
function* readCandidates(workflowId: number, classes: readonly JobClass[], request: ClaimRequest): Unit<Candidate[]> {
  const wanted = Math.max(request.limit, 0) + (request.hold?.jobs ?? 0)
  if (classes.length === 0) return []
  const lists = yield* together(
    classes.map((jobClass): Statement => ({ sql: CANDIDATES, args: [workflowId, jobClass.id, wanted] })),
  )
  return classes.flatMap((jobClass, index) =>
    (lists[index] as { id: number; priority: number }[]).map(({ id, priority }) => ({ id, priority, class: jobClass })),
  )
}

const CANDIDATES = `
  SELECT id, priority FROM job INDEXED BY job_ready
  WHERE workflow_id = ? AND class_id = ? AND status = ${STATUS.ready} ORDER BY priority DESC, id LIMIT ?`

function* takeJobs(
  chosen: readonly Candidate[],
  status: number,
  request: ClaimRequest,
  token: string,
  now: number,
): Unit<void> {
  if (chosen.length === 0) return
  const lease = request.leaseSeconds ?? null
  const args: SqlValue[] = [
    status,
    token,
    request.computeNodeId ?? null,
    now,
    status === STATUS.running ? now : null,
    lease,
    lease === null ? null : now + lease * 1000,
    JSON.stringify(chosen.map(candidate => candidate.id)),
  ]
  yield* run(TAKE, ...args)
}

const TAKE = `
  UPDATE job SET status = ?1, claim_token = ?2 || id, compute_node_id = ?3, fence = fence + 1, claimed_at = ?4, started_at = ?5,
    lease_seconds = ?6, lease_expires_at = ?7
  WHERE id IN (SELECT value FROM json_each(?8)) AND status = ${STATUS.ready}`
