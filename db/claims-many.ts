import type { ClaimRequest } from '../api/core/claim.ts'
import { dealInTurns, type LastTurns, lastTurnsOf } from '../api/core/fairness.ts'
import { type Candidate, claimOrder, labelsMatch, pack } from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { alongside } from './alongside.ts'
import { fitsNow, mayFit, schedulerChoice, toClass } from './claim-look.ts'
import { type ClaimedJob, type ClassRow, describeJobs } from './claimed-jobs.ts'
import { claimJobs, holdOf, recordTaken, UNLIMITED } from './claims.ts'
import { findUsableNodes, type NodeFacts, registerNode } from './compute-nodes.ts'
import { notHandedBack } from './handed-back.ts'
import { isDue } from './node-leases.ts'
import { type PassedOver, rememberPassedOver, reservationsOf } from './reservations.ts'
import { findUsable, listReadyWorkflows, type ReadyWorkflow, type Serving } from './served-workflows.ts'
import { all, run, type Unit } from './unit.ts'

/** A claim over all workflows that a runner serves. It belongs to one compute node per workflow, made with the first job of each. */
export type ManyClaim = {
  request: Omit<ClaimRequest, 'computeNodeId'>
  serving: Serving
  /** The nodes the runner has so far. */
  nodeIds: readonly number[]
  /** What a node that it needs is registered with; without it jobs are claimed for no node in particular. */
  node: NodeFacts | undefined
  /** Workflows the runner has served, the one longest ago first: whose turn it is (api/core/fairness.ts). */
  served: readonly number[]
}

export type ManyClaimed = (ClaimedJob & { compute_node_id: number | undefined })[]

/** Workflows whose classes and candidates are read in one go: more are looked at only when these have nothing that fits. */
const LOOKED_AT = 64

type Candidates = { workflow: ReadyWorkflow; items: Candidate[] }

/** What a claim has found out before it takes anything. */
type Prospect = {
  nodes: ReadonlyMap<number, number>
  classes: Map<number, ClassRow>
  found: Candidates[]
  turns: LastTurns
  isReserved: boolean
  /** Jobs that the nodes passed over and need not remember any more. */
  gone: readonly number[]
}

/**
 * The look before the lock: whether a claim could get anything, which may err only towards yes, or has been answered before. One that
 * finds nothing never begins a write transaction.
 */
export function* probeMany(claim: ManyClaim, now: number): Unit<'repeated' | 'maybe' | 'nothing'> {
  const [due, repeated] = yield* alongside(isDue(now), findRepeated(claim))
  if (repeated.length > 0) return 'repeated'
  if (due) return 'maybe'
  if (!wantsAny(claim)) return 'nothing'
  return countFitting((yield* explore(claim, now)).found, claim.request) > 0 ? 'maybe' : 'nothing'
}

/**
 * Claims fairly over all that the runner serves, inside the caller's transaction, of which it must be the last. `repeated`: the claim_id
 * was answered meanwhile, and nothing new is claimed.
 */
export function* claimMany(claim: ManyClaim, options: TakeOptions): Unit<ManyClaimed | 'repeated'> {
  if ((yield* findRepeated(claim)).length > 0) return 'repeated'
  if (!wantsAny(claim)) return []
  return yield* takeFairly(claim, yield* explore(claim, options.now), options)
}

/** What a claim_id has got before, as far as it is still held: for a reply that was lost. */
export function* repeatMany(claim: ManyClaim): Unit<ManyClaimed> {
  const jobs: ClaimedJob[] = []
  for (const id of yield* findRepeated(claim)) {
    // It claims nothing: a time and a secret would be of no use.
    const outcome = yield* claimJobs(id, claim.request, { now: 0, secret: '' })
    if (outcome.missing === undefined) jobs.push(...outcome.reply.jobs)
  }
  const nodes = yield* all<{ id: number; compute_node_id: number | null }>(
    'SELECT id, compute_node_id FROM job WHERE id IN (SELECT value FROM json_each(?))',
    JSON.stringify(jobs.map(({ id }) => id)),
  )
  const nodeOf = new Map(nodes.map(row => [row.id, row.compute_node_id]))
  return jobs.map(job => ({ ...job, compute_node_id: nodeOf.get(job.id) ?? undefined }))
}

const wantedOf = ({ request }: ManyClaim): number => Math.max(request.limit, 0) + (request.hold?.jobs ?? 0)
const wantsAny = (claim: ManyClaim): boolean => wantedOf(claim) > 0

// ---- looking ----

/** Reads candidates of the workflows whose turn is next, going on until there are enough or none are left. */
function* explore(claim: ManyClaim, now: number): Unit<Prospect> {
  const { request, serving } = claim
  const [ready, known, served, passedOver] = yield* alongside(
    listReadyWorkflows(serving),
    findUsableNodes(claim.nodeIds, serving.subject),
    findUsable(claim.served, serving.subject),
    readPassedOver(claim),
  )
  const nodes = new Map(known.map(node => [node.workflow_id, node.id]))
  const turns = lastTurnsOf(served)
  const prospect: Prospect = { nodes, classes: new Map(), found: [], turns, isReserved: false, gone: [] }
  // What a node is kept free for is looked at before all else, whosever turn it is.
  const waiting = new Set(passedOver.map(row => row.workflow_id))
  const inTurn = dealInTurns(
    ready.map(workflow => ({ contender: workflow, items: [workflow] })),
    turns,
  )
  const order = [...inTurn.filter(({ id }) => waiting.has(id)), ...inTurn.filter(({ id }) => !waiting.has(id))]
  const wanted = wantedOf(claim)
  for (let at = 0, enough = false; at < order.length && !enough; at += LOOKED_AT) {
    yield* exploreSome(order.slice(at, at + LOOKED_AT), claim, prospect)
    enough = countFitting(prospect.found, request) >= wanted
  }
  const usable = [...prospect.classes.values()].map(toClass)
  const { reserved, gone } = reservationsOf(passedOver, usable, now)
  prospect.gone = gone
  if (reserved !== undefined) {
    const workflow = ready.find(({ id }) => id === prospect.classes.get(reserved.class.id)!.workflow_id)!
    prospect.isReserved = true
    prospect.found = [{ workflow, items: [reserved] }]
  }
  return prospect
}

/** The others are there because they fit the whole node: they may be passed over only for so long. */
const countFitting = (found: readonly Candidates[], request: ManyClaim['request']): number =>
  found.reduce((sum, { items }) => sum + items.filter(item => fitsNow(item.class, request)).length, 0)

function* exploreSome(some: readonly ReadyWorkflow[], claim: ManyClaim, prospect: Prospect): Unit<void> {
  const { request } = claim
  const rows = yield* all<ClassRow>(
    READY_CLASSES,
    JSON.stringify(some.map(({ id }) => [id, prospect.nodes.get(id) ?? null])),
  )
  const asked: [workflowId: number, classId: number, nodeId: number | null][] = []
  for (const workflow of some) {
    const own = rows.filter(row => row.workflow_id === workflow.id && labelsMatch(request.labels, row.labels))
    const classes = own.map(toClass).filter(jobClass => mayFit(jobClass, request))
    for (const row of own) prospect.classes.set(row.id, row)
    // All of these have ready jobs.
    for (const jobClass of schedulerChoice(request, classes, () => true))
      asked.push([workflow.id, jobClass.id, prospect.nodes.get(workflow.id) ?? null])
  }
  if (asked.length === 0) return
  type Row = { id: number; priority: number; workflow_id: number; class_id: number }
  const found = yield* all<Row>(CANDIDATES, JSON.stringify(asked), wantedOf(claim))
  for (const workflow of some) {
    const items = found
      .filter(row => row.workflow_id === workflow.id)
      .map(({ id, priority, class_id }) => ({ id, priority, class: toClass(prospect.classes.get(class_id)!) }))
      .sort(claimOrder(request.offer === undefined ? 'none' : workflow.jobs_sort_method))
    if (items.length > 0) prospect.found.push({ workflow, items })
  }
}

const READY_CLASSES = `
  SELECT c.workflow_id, c.id, c.resource_requirements_id, c.scheduler_id, c.labels,
    r.num_cpus, r.num_gpus, r.num_nodes, r.memory, r.runtime, r.memory_bytes, r.runtime_seconds
  FROM json_each(?) AS asked CROSS JOIN job_class c ON c.workflow_id = asked.value ->> 0
  CROSS JOIN resource_requirements r ON r.id = c.resource_requirements_id
  WHERE EXISTS (SELECT 1 FROM job j INDEXED BY job_ready WHERE j.workflow_id = c.workflow_id AND j.class_id = c.id
    AND j.status = ${STATUS.ready} AND j.waits_until IS NULL AND ${notHandedBack('asked.value ->> 1', 'j')})`

/** The most urgent of each class, as many as the claim could take: the cost does not grow with the queues. */
const CANDIDATES = `
  SELECT j.id, j.priority, j.workflow_id, j.class_id FROM json_each(?1) AS asked CROSS JOIN job j ON j.id IN (
    SELECT r.id FROM job r INDEXED BY job_ready WHERE r.workflow_id = asked.value ->> 0 AND r.class_id = asked.value ->> 1
      AND r.status = ${STATUS.ready} AND r.waits_until IS NULL AND ${notHandedBack('asked.value ->> 2', 'r')}
    ORDER BY r.priority DESC, r.id LIMIT ?2)`

function* readPassedOver({ request, nodeIds }: ManyClaim): Unit<(PassedOver & { workflow_id: number })[]> {
  if (request.total === undefined || nodeIds.length === 0) return []
  return yield* all(
    `SELECT p.job_id, p.since, j.status, j.priority, j.class_id, j.workflow_id
     FROM passed_over p LEFT JOIN job j ON j.id = p.job_id AND j.waits_until IS NULL
     WHERE p.compute_node_id IN (SELECT value FROM json_each(?)) ORDER BY p.since, p.job_id`,
    JSON.stringify(nodeIds),
  )
}

// ---- taking ----

type TakeOptions = { now: number; secret: string }

function* takeFairly(claim: ManyClaim, prospect: Prospect, options: TakeOptions): Unit<ManyClaimed> {
  const { request } = claim
  yield* forgetPassedOver(claim.nodeIds, prospect.gone)
  const dealt = dealInTurns(
    prospect.found.map(({ workflow, items }) => ({ contender: workflow, items })),
    prospect.turns,
  )
  const { taken, held, passedOver } = pack(dealt, request.offer ?? UNLIMITED, {
    limit: request.limit,
    total: request.total,
    hold: prospect.isReserved ? undefined : holdOf(request),
  })
  if (taken.length + held.length === 0) return []

  const describing: Unit<ManyClaimed>[] = []
  for (const { workflow } of prospect.found) {
    const isOwn = (candidate: Candidate): boolean =>
      prospect.classes.get(candidate.class.id)!.workflow_id === workflow.id
    const left = passedOver !== undefined && isOwn(passedOver) ? passedOver : undefined
    const own = { taken: taken.filter(isOwn), held: held.filter(isOwn), passedOver: left }
    const ids = [...own.taken, ...own.held].map(({ id }) => id)
    if (ids.length === 0 && left === undefined) continue
    const nodeId = prospect.nodes.get(workflow.id) ?? (yield* newNode(workflow.id, claim, options.now))
    if (ids.length === 0) yield* rememberPassedOver(nodeId, left, options.now)
    else {
      yield* recordTaken(workflow, own, { ...request, computeNodeId: nodeId }, options)
      describing.push(describe(workflow, ids, nodeId, prospect))
    }
  }
  const jobs = (yield* alongside(...describing)).flat()
  // In the order in which they were packed: what is to start comes first.
  const byId = new Map(jobs.map(job => [job.id, job]))
  return [...taken, ...held].map(({ id }) => byId.get(id)!)
}

function* newNode(workflowId: number, { node }: ManyClaim, now: number): Unit<number | undefined> {
  return node && (yield* registerNode(workflowId, node, now)).id
}

function* describe(
  { id, has_user_data, has_failure_handlers }: ReadyWorkflow,
  jobIds: readonly number[],
  nodeId: number | undefined,
  { classes }: Prospect,
): Unit<ManyClaimed> {
  const has = { userData: has_user_data === 1, failureHandlers: has_failure_handlers === 1 }
  const jobs = yield* describeJobs(id, jobIds, classes, has)
  return jobs.map(job => ({ ...job, compute_node_id: nodeId }))
}

function* forgetPassedOver(nodeIds: readonly number[], gone: readonly number[]): Unit<void> {
  if (gone.length === 0) return
  yield* run(
    `DELETE FROM passed_over WHERE compute_node_id IN (SELECT value FROM json_each(?1)) AND job_id IN (SELECT value FROM json_each(?2))`,
    JSON.stringify(nodeIds),
    JSON.stringify(gone),
  )
}

/** The workflows in which a claim_id has got something before. */
function* findRepeated({ request, serving }: ManyClaim): Unit<number[]> {
  if (request.claimId === undefined) return []
  const rows = yield* all<{ workflow_id: number }>('SELECT workflow_id FROM claim WHERE claim_id = ?', request.claimId)
  const usable = yield* findUsable(
    rows.map(row => row.workflow_id),
    serving.subject,
  )
  return usable.map(({ id }) => id)
}
