import { type ClaimRequest, PASSED_OVER_MS } from '../api/core/claim.ts'
import { type Candidate, claimOrder, fitsAlone, type JobClass, labelsMatch, type Offer, pack, type SortMethod } from '../api/core/packing.ts'
import { STATUS, statusWord } from '../api/core/status.ts'
import { appendEvents } from './stream-events.ts'
import { all, one, run, type SqlValue, type Statement, together, type Unit } from './unit.ts'

/** One claimed job with everything needed to run it, in the wire's words (contract/notes.md 10.2, 18). */
export type ClaimedJob = {
  id: number
  workflow_id: number
  name: string
  command: string
  env?: Record<string, string>
  invocation_script?: string
  status: string
  cancel_on_blocking_job_failure: boolean
  supports_termination: boolean
  resource_requirements_id: number
  failure_handler_id?: number
  attempt_id: number
  priority: number
  origin?: string
  labels?: string[]
  output_file_ids?: number[]
  output_user_data_ids?: number[]
  claim_token: string
  fence: number
  lease_expires_at?: number
  ready_at?: number
  claimed_at: number
  resource_requirements: { num_cpus: number; num_gpus: number; num_nodes: number; memory: string; memory_bytes: number; runtime: string; runtime_seconds: number }
  output_files?: { id: number; path: string }[]
  failure_rules?: string
  options?: Record<string, unknown>
}

export type ClaimReply = { jobs: ClaimedJob[]; reason?: string }

type WorkflowRow = {
  state: string
  is_canceled: number
  run_id: number
  jobs_sort_method: SortMethod
  has_user_data: number
  has_failure_handlers: number
}

type ClassRow = {
  id: number
  resource_requirements_id: number
  scheduler_id: number | null
  labels: string
  num_cpus: number
  num_gpus: number
  num_nodes: number
  memory: string
  runtime: string
  memory_bytes: number
  runtime_seconds: number
}

const WORKFLOW = `
  SELECT state, is_canceled, run_id, jobs_sort_method,
    EXISTS (SELECT 1 FROM user_data WHERE workflow_id = w.id) AS has_user_data,
    EXISTS (SELECT 1 FROM failure_handler WHERE workflow_id = w.id) AS has_failure_handlers
  FROM workflow w WHERE id = ? AND state IN ('live', 'initializing')`

const CLASSES = `
  SELECT c.id, c.resource_requirements_id, c.scheduler_id, c.labels, r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime, r.memory_bytes, r.runtime_seconds
  FROM job_class c JOIN resource_requirements r ON r.id = c.resource_requirements_id WHERE c.workflow_id = ?`

/** What the probe and the claim know before they look at jobs. */
type Opening =
  | { open: false; reply: ClaimReply | undefined }
  | { open: true; workflow: WorkflowRow; rows: Map<number, ClassRow>; classes: JobClass[] }

function* openClaim(workflowId: number, request: ClaimRequest): Unit<Opening> {
  const workflow = yield* one<WorkflowRow>(WORKFLOW, workflowId)
  if (workflow === undefined) return { open: false, reply: undefined }
  if (workflow.is_canceled === 1) return { open: false, reply: request.offer === undefined ? { jobs: [] } : { jobs: [], reason: 'Workflow is canceled' } }
  // Being initialised: its jobs are no one's until the last small transaction (design.md 2).
  if (workflow.state !== 'live') return { open: false, reply: { jobs: [] } }
  if (request.limit <= 0 && (request.hold?.jobs ?? 0) <= 0) return { open: false, reply: { jobs: [] } }
  const rows = new Map<number, ClassRow>()
  for (const row of yield* all<ClassRow>(CLASSES, workflowId)) rows.set(row.id, row)
  const classes = [...rows.values()].map(toClass).filter(jobClass => labelsMatch(request.labels, jobClass.labels) && mayFit(jobClass, request))
  return { open: true, workflow, rows, classes }
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
const mayFit = (jobClass: JobClass, { offer, total, hold }: ClaimRequest): boolean =>
  fitsNow(jobClass, { offer, hold }) || (total !== undefined && fitsAlone(jobClass, total))

const fitsNow = (jobClass: JobClass, { offer, hold }: Pick<ClaimRequest, 'offer' | 'hold'>): boolean =>
  offer === undefined || fitsAlone(jobClass, offer) || (hold !== undefined && fitsAlone(jobClass, hold.offer))

/** The classes a claim may take from by scheduler; every class when none of those has a ready job and the match is lenient. */
function* schedulerChoice(workflowId: number, request: ClaimRequest, classes: readonly JobClass[]): Unit<JobClass[]> {
  if (request.offer === undefined) return [...classes]
  const own = classes.filter(jobClass => jobClass.schedulerId === null || jobClass.schedulerId === (request.schedulerConfigId ?? null))
  if (own.length === classes.length || request.strictSchedulerMatch === true) return own
  return (yield* anyReady(workflowId, own)) ? own : [...classes]
}

function* anyReady(workflowId: number, classes: readonly JobClass[]): Unit<boolean> {
  if (classes.length === 0) return false
  const found = yield* one(
    `SELECT 1 FROM json_each(?2) AS class CROSS JOIN job j INDEXED BY job_ready
     ON j.workflow_id = ?1 AND j.status = ${STATUS.ready} AND j.class_id = class.value LIMIT 1`,
    workflowId,
    JSON.stringify(classes.map(jobClass => jobClass.id)),
  )
  return found !== undefined
}

/**
 * The look before the lock: whether a claim could get anything. Errs only towards `maybe`, so an empty claim never begins a
 * write transaction. `undefined` when the workflow does not exist.
 */
export function* probeClaim(workflowId: number, request: ClaimRequest): Unit<{ maybe: true } | { maybe: false; reply: ClaimReply } | undefined> {
  if (request.claimId !== undefined && (yield* one('SELECT 1 FROM claim WHERE claim_id = ?', request.claimId))) return { maybe: true }
  const opening = yield* openClaim(workflowId, request)
  if (!opening.open) return opening.reply && { maybe: false, reply: opening.reply }
  const classes = yield* schedulerChoice(workflowId, request, opening.classes)
  if (yield* anyReady(workflowId, classes.filter(jobClass => fitsNow(jobClass, request)))) return { maybe: true }
  return { maybe: false, reply: { jobs: [] } }
}

/**
 * Claims ready jobs for one runner inside the caller's transaction: packed over the ordered candidates, ready to pending (or running
 * with `start`). A repeated claim_id gets the same jobs again, as far as they are still held. `undefined` when the workflow does not exist.
 * `secret` is 128 random bits as text; the tokens are made from it.
 */
export function* claimJobs(
  workflowId: number,
  request: ClaimRequest,
  { now, secret }: { now: number; secret: string },
): Unit<ClaimReply | undefined> {
  const repeated = yield* repeatedClaim(workflowId, request)
  if (repeated !== undefined) return repeated
  const opening = yield* openClaim(workflowId, request)
  if (!opening.open) return opening.reply
  const { workflow, rows } = opening
  const classes = yield* schedulerChoice(workflowId, request, opening.classes)
  const wanted = Math.max(request.limit, 0) + (request.hold?.jobs ?? 0)
  const candidates = yield* readCandidates(workflowId, classes, wanted)
  candidates.sort(claimOrder(request.offer === undefined ? 'none' : workflow.jobs_sort_method))

  const reserved = yield* reservedJob(request, candidates, now)
  const usable = reserved === undefined ? candidates : candidates.filter(candidate => candidate.id === reserved)
  const { taken, held, passedOver } = pack(usable, request.offer ?? UNLIMITED, {
    limit: request.limit,
    total: request.total,
    hold: reserved === undefined ? holdOf(request) : undefined,
  })
  if (taken.length + held.length === 0) return { jobs: [] }

  const token = `${secret}.`
  yield* takeJobs(taken, request.start === true ? STATUS.running : STATUS.pending, request, token, now)
  yield* takeJobs(held, STATUS.pending, request, token, now)
  const ids = [...taken, ...held].map(candidate => candidate.id)
  if (request.claimId !== undefined) {
    yield* run('INSERT INTO claim VALUES (?, ?, ?, ?, ?)', request.claimId, workflowId, token, JSON.stringify(ids), now)
  }
  yield* rememberPassedOver(request, passedOver, taken, now)
  if (request.start === true) {
    const data = { compute_node_id: request.computeNodeId, run_id: workflow.run_id }
    yield* appendEvents(
      workflowId,
      now,
      taken.map(({ id }) => ({ type: 'job_started', jobId: id, data })),
    )
  }
  return { jobs: yield* describe(workflowId, ids, workflow, rows) }
}

/** A queue-depth runner ignores requirements, also of what it holds. */
const holdOf = ({ offer, hold }: ClaimRequest): ClaimRequest['hold'] => (hold && offer === undefined ? { ...hold, offer: UNLIMITED } : hold)

const UNLIMITED: Offer = { cpus: Infinity, memoryBytes: Infinity, gpus: Infinity, nodes: Number.MAX_SAFE_INTEGER }

function* repeatedClaim(workflowId: number, request: ClaimRequest): Unit<ClaimReply | undefined> {
  if (request.claimId === undefined) return undefined
  const claim = yield* one<{ token: string; job_ids: string }>(
    'SELECT token, job_ids FROM claim WHERE claim_id = ? AND workflow_id = ?',
    request.claimId,
    workflowId,
  )
  if (claim === undefined) return undefined
  const held = yield* all<{ id: number }>(
    'SELECT j.id FROM json_each(?) AS told CROSS JOIN job j ON j.id = told.value WHERE j.claim_token = ? || j.id ORDER BY told.key',
    claim.job_ids,
    claim.token,
  )
  const workflow = yield* one<WorkflowRow>(WORKFLOW, workflowId)
  if (workflow === undefined) return undefined
  const rows = new Map((yield* all<ClassRow>(CLASSES, workflowId)).map(row => [row.id, row]))
  return { jobs: yield* describe(workflowId, held.map(row => row.id), workflow, rows) }
}

/** The most urgent ready jobs of each class: no more than the claim could take, so the cost does not grow with the queue. */
function* readCandidates(workflowId: number, classes: readonly JobClass[], wanted: number): Unit<Candidate[]> {
  const statements = classes.map((jobClass): Statement => ({ sql: CANDIDATES, args: [workflowId, jobClass.id, wanted] }))
  if (statements.length === 0) return []
  const lists = yield* together(statements)
  return classes.flatMap((jobClass, index) =>
    (lists[index] as { id: number; priority: number }[]).map(({ id, priority }) => ({ id, priority, class: jobClass })),
  )
}

const CANDIDATES = `
  SELECT id, priority FROM job INDEXED BY job_ready
  WHERE workflow_id = ? AND class_id = ? AND status = ${STATUS.ready} ORDER BY priority DESC, id LIMIT ?`

/** A job this node has passed over for too long and that still waits: then nothing else is handed to the node. */
function* reservedJob(request: ClaimRequest, candidates: readonly Candidate[], now: number): Unit<number | undefined> {
  if (request.total === undefined || request.computeNodeId === undefined) return undefined
  type Row = { job_id: number; since: number; status: number | null }
  const rows = yield* all<Row>(
    'SELECT p.job_id, p.since, j.status FROM passed_over p LEFT JOIN job j ON j.id = p.job_id WHERE p.compute_node_id = ? ORDER BY p.since, p.job_id',
    request.computeNodeId,
  )
  const gone = rows.filter(row => row.status !== STATUS.ready)
  if (gone.length > 0) {
    yield* run(
      'DELETE FROM passed_over WHERE compute_node_id = ? AND job_id IN (SELECT value FROM json_each(?))',
      request.computeNodeId,
      JSON.stringify(gone.map(row => row.job_id)),
    )
  }
  const due = rows.find(row => row.status === STATUS.ready && row.since <= now - PASSED_OVER_MS)
  // It stays reserved only while this claim could be offered it at all (scheduler, labels, size of the node).
  return due !== undefined && candidates.some(candidate => candidate.id === due.job_id) ? due.job_id : undefined
}

function* rememberPassedOver(request: ClaimRequest, passedOver: Candidate | undefined, taken: readonly Candidate[], now: number): Unit<void> {
  if (request.computeNodeId === undefined || passedOver === undefined || taken.length === 0) return
  yield* run('INSERT OR IGNORE INTO passed_over VALUES (?, ?, ?)', request.computeNodeId, passedOver.id, now)
}

function* takeJobs(chosen: readonly Candidate[], status: number, request: ClaimRequest, token: string, now: number): Unit<void> {
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

type DetailRow = {
  id: number
  status: number
  priority: number
  class_id: number
  cancel_on_failure: number
  attempt_id: number
  claim_token: string
  fence: number
  claimed_at: number
  lease_expires_at: number | null
  ready_at: number | null
  name: string
  command: string
  invocation_script: string | null
  env: string | null
  failure_handler_id: number | null
  supports_termination: number
  origin: string | null
  options: string | null
}

const DETAILS = `
  SELECT j.id, j.status, j.priority, j.class_id, j.cancel_on_failure, j.attempt_id, j.claim_token, j.fence, j.claimed_at, j.lease_expires_at, j.ready_at,
    t.name, t.command, t.invocation_script, t.env, t.failure_handler_id, t.supports_termination, t.origin, t.options
  FROM json_each(?) AS taken CROSS JOIN job j ON j.id = taken.value CROSS JOIN job_text t ON t.id = j.id`
const OUTPUT_FILES = `
  SELECT o.job_id, f.id, f.path FROM json_each(?) AS taken CROSS JOIN job_file o ON o.job_id = taken.value AND o.is_output = 1
  CROSS JOIN file f ON f.id = o.file_id`
const OUTPUT_USER_DATA = `
  SELECT o.job_id, o.user_data_id AS id FROM json_each(?) AS taken CROSS JOIN job_user_data o ON o.job_id = taken.value AND o.is_output = 1`

/** Reads all that is needed to run these jobs, in the order given. */
function* describe(workflowId: number, ids: readonly number[], workflow: WorkflowRow, classes: ReadonlyMap<number, ClassRow>): Unit<ClaimedJob[]> {
  const list = JSON.stringify(ids)
  const details = yield* all<DetailRow>(DETAILS, list)
  const files = groupByJob(yield* all<{ job_id: number; id: number; path: string }>(OUTPUT_FILES, list))
  const userData = workflow.has_user_data === 1 ? groupByJob(yield* all<{ job_id: number; id: number }>(OUTPUT_USER_DATA, list)) : undefined
  const rules = workflow.has_failure_handlers === 1 ? yield* failureRules(details) : undefined
  return details.map(row => {
    const needs = classes.get(row.class_id)!
    const outputs = files.get(row.id)
    const job: ClaimedJob = {
      id: row.id,
      workflow_id: workflowId,
      name: row.name,
      command: row.command,
      status: statusWord(row.status),
      cancel_on_blocking_job_failure: row.cancel_on_failure === 1,
      supports_termination: row.supports_termination === 1,
      resource_requirements_id: needs.resource_requirements_id,
      attempt_id: row.attempt_id,
      priority: row.priority,
      claim_token: row.claim_token,
      fence: row.fence,
      claimed_at: row.claimed_at,
      resource_requirements: {
        num_cpus: needs.num_cpus,
        num_gpus: needs.num_gpus,
        num_nodes: needs.num_nodes,
        memory: needs.memory,
        memory_bytes: needs.memory_bytes,
        runtime: needs.runtime,
        runtime_seconds: needs.runtime_seconds,
      },
    }
    if (row.env !== null) job.env = JSON.parse(row.env)
    if (row.invocation_script !== null) job.invocation_script = row.invocation_script
    if (row.failure_handler_id !== null) job.failure_handler_id = row.failure_handler_id
    if (row.origin !== null) job.origin = row.origin
    if (needs.labels !== '') job.labels = needs.labels.split(',')
    if (row.lease_expires_at !== null) job.lease_expires_at = row.lease_expires_at
    if (row.ready_at !== null) job.ready_at = row.ready_at
    if (row.options !== null) job.options = JSON.parse(row.options)
    if (outputs !== undefined) {
      job.output_file_ids = outputs.map(file => file.id)
      job.output_files = outputs.map(({ id, path }) => ({ id, path }))
    }
    const data = userData?.get(row.id)
    if (data !== undefined) job.output_user_data_ids = data.map(item => item.id)
    const text = row.failure_handler_id === null ? undefined : rules?.get(row.failure_handler_id)
    if (text !== undefined) job.failure_rules = text
    return job
  })
}

function groupByJob<T extends { job_id: number }>(rows: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const row of rows) {
    const group = groups.get(row.job_id)
    if (group === undefined) groups.set(row.job_id, [row])
    else group.push(row)
  }
  return groups
}

function* failureRules(jobs: readonly DetailRow[]): Unit<Map<number, string>> {
  const ids = [...new Set(jobs.map(job => job.failure_handler_id).filter(id => id !== null))]
  const rows = yield* all<{ id: number; rules: string }>('SELECT id, rules FROM failure_handler WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(ids))
  return new Map(rows.map(row => [row.id, row.rules]))
}
