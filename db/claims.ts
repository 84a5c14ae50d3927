import type { ClaimRequest } from '../api/core/claim.ts'
import { type Candidate, claimOrder, type JobClass, type Offer, type Packed, pack } from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { alongside } from './alongside.ts'
import {
  type Choice,
  type ClaimLook,
  type ClaimRow,
  chooseCandidates,
  fitsNow,
  lookForClaim,
  type Opening,
  openClaim,
  readyClasses,
  schedulerChoice,
  type WorkflowRow,
} from './claim-look.ts'
import { type ClaimedJob, describeJobs } from './claimed-jobs.ts'
import { NOTHING_DUE, type SettledDue, settleDue } from './due.ts'
import { isDue, noteLease } from './node-leases.ts'
import { forgetPassedOver, rememberPassedOver, reservationsOf } from './reservations.ts'
import { appendEvents } from './stream-events.ts'
import { all, run, type SqlValue, type Unit } from './unit.ts'

export type ClaimReply = { jobs: ClaimedJob[]; reason?: string }

/** `missing` names what the claim speaks of and this workflow does not have. */
export type ClaimOutcome = { missing: undefined; reply: ClaimReply } | { missing: 'workflow' | 'compute_node' }

/** `expected`: the classes a claim would look at now, so that it can ask for their jobs at once. */
export type Probe = { maybe: true; expected?: JobClass[] } | { maybe: false; outcome: ClaimOutcome }

const NOTHING: ClaimOutcome = { missing: undefined, reply: { jobs: [] } }

/**
 * The look before the lock: whether a claim could get anything. Errs only towards `maybe`, so an empty claim never begins a
 * write transaction.
 */
export function* probeClaim(workflowId: number, request: ClaimRequest, now: number): Unit<Probe> {
  const [due, look, ready] = yield* alongside(
    isDue(now),
    lookForClaim(workflowId, request),
    readyClasses(workflowId, request.computeNodeId),
  )
  const opening = openClaim(look, request)
  const expected = opening.open ? opening.classes : undefined
  if (due || look.repeated !== undefined) return { maybe: true, expected }
  if (!opening.open) return { maybe: false, outcome: closedOutcome(opening) }
  const chosen = schedulerChoice(request, opening.classes, jobClass => ready.has(jobClass.id))
  const { reserved } = reservationsOf(look.passedOver, chosen, now)
  const usable = reserved === undefined ? chosen : [reserved.class]
  if (usable.some(jobClass => ready.has(jobClass.id) && fitsNow(jobClass, request))) return { maybe: true, expected }
  return { maybe: false, outcome: NOTHING }
}

const closedOutcome = (opening: Extract<Opening, { open: false }>): ClaimOutcome =>
  opening.missing === undefined
    ? { missing: undefined, reply: { jobs: [], reason: opening.reason } }
    : { missing: opening.missing }

/** `secret` is 128 random bits as text, from which the tokens are made; `expected` what a probe has said. */
export type ClaimOptions = { now: number; secret: string; expected?: readonly JobClass[] }

/**
 * Claims ready jobs for one runner inside the caller's transaction: packed over the ordered candidates, ready to pending (or running
 * with `start`). A repeated claim_id gets the same jobs again, as far as they are still held. Must be the last of its transaction.
 */
export function* claimJobs(workflowId: number, request: ClaimRequest, options: ClaimOptions): Unit<ClaimOutcome> {
  const look = yield* lookForClaim(workflowId, request, options.expected)
  const choice = yield* chooseForClaim(workflowId, look, request, options.now)
  return yield* takeChosen(workflowId, look, choice, request, options)
}

/** A claim after what the time has brought, in as few round trips as without that. Must be the last of its transaction. */
export function* settleAndClaim(
  workflowId: number,
  request: ClaimRequest,
  options: ClaimOptions,
): Unit<{ due: SettledDue; outcome: ClaimOutcome }> {
  const { now, expected } = options
  const [due, look] = yield* alongside(isDue(now), lookForClaim(workflowId, request, expected))
  if (due) return { due: yield* settleDue(now), outcome: yield* claimJobs(workflowId, request, options) }
  const choice = yield* chooseForClaim(workflowId, look, request, now)
  return { due: NOTHING_DUE, outcome: yield* takeChosen(workflowId, look, choice, request, options) }
}

/** The second part of a claim: reads the candidates. Undefined when nothing is handed out whatever is ready. */
export function* chooseForClaim(
  workflowId: number,
  look: ClaimLook,
  request: ClaimRequest,
  now: number,
): Unit<Choice | undefined> {
  const opening = openClaim(look, request)
  if (!opening.open || look.repeated !== undefined) return undefined
  return yield* chooseCandidates(workflowId, look, opening.classes, request, now)
}

/** The third part: takes what fits of the candidates. */
export function* takeChosen(
  workflowId: number,
  look: ClaimLook,
  choice: Choice | undefined,
  request: ClaimRequest,
  { now, secret }: ClaimOptions,
): Unit<ClaimOutcome> {
  if (look.repeated !== undefined && look.workflow !== undefined)
    return { missing: undefined, reply: yield* repeatClaim(workflowId, look, look.workflow, look.repeated) }
  const opening = openClaim(look, request)
  if (!opening.open) return closedOutcome(opening)
  if (choice === undefined) return NOTHING
  const { workflow } = opening
  const { candidates, isReserved, gone } = choice

  yield* forgetPassedOver(request.computeNodeId, gone)
  candidates.sort(claimOrder(request.offer === undefined ? 'none' : workflow.jobs_sort_method))
  const { taken, held, passedOver } = pack(candidates, request.offer ?? UNLIMITED, {
    limit: request.limit,
    total: request.total,
    hold: isReserved ? undefined : holdOf(request),
  })
  if (taken.length + held.length === 0) return NOTHING

  yield* recordTaken(workflow, { taken, held, passedOver }, request, { now, secret })
  const ids = [...taken, ...held].map(candidate => candidate.id)
  return { missing: undefined, reply: { jobs: yield* describe(workflowId, ids, workflow, look) } }
}

/** What a claim writes: the jobs it hands out of one workflow, the lease, and what it has to remember. At least one job is taken or held. */
export function* recordTaken(
  { id: workflowId, run_id }: { id: number; run_id: number },
  { taken, held, passedOver }: Packed,
  request: ClaimRequest,
  { now, secret }: ClaimOptions,
): Unit<void> {
  const token = `${secret}.`
  yield* takeJobs(
    taken,
    { status: request.start === true ? STATUS.running : STATUS.pending, isHeld: 0 },
    request,
    token,
    now,
  )
  yield* takeJobs(held, { status: STATUS.pending, isHeld: 1 }, request, token, now)
  yield* noteLeaseOf(request, now)
  const ids = [...taken, ...held].map(candidate => candidate.id)
  if (request.claimId !== undefined) {
    yield* run('INSERT INTO claim VALUES (?, ?, ?, ?, ?)', request.claimId, workflowId, token, JSON.stringify(ids), now)
  }
  yield* rememberPassedOver(request.computeNodeId, passedOver, now)
  if (request.start === true) {
    const data = { compute_node_id: request.computeNodeId, run_id }
    yield* appendEvents(
      workflowId,
      now,
      taken.map(({ id }) => ({ type: 'job_started', jobId: id, data })),
    )
  }
}

/** A queue-depth runner ignores requirements, also of what it holds. */
export const holdOf = ({ offer, hold }: ClaimRequest): ClaimRequest['hold'] =>
  hold && offer === undefined ? { ...hold, offer: UNLIMITED } : hold

export const UNLIMITED: Offer = {
  cpus: Number.POSITIVE_INFINITY,
  memoryBytes: Number.POSITIVE_INFINITY,
  gpus: Number.POSITIVE_INFINITY,
  nodes: Number.MAX_SAFE_INTEGER,
}

function* repeatClaim(workflowId: number, look: ClaimLook, workflow: WorkflowRow, claim: ClaimRow): Unit<ClaimReply> {
  const held = yield* all<{ id: number }>(
    'SELECT j.id FROM json_each(?) AS told CROSS JOIN job j ON j.id = told.value WHERE j.claim_token = ? || j.id ORDER BY told.key',
    claim.job_ids,
    claim.token,
  )
  const ids = held.map(row => row.id)
  return { jobs: yield* describe(workflowId, ids, workflow, look) }
}

const describe = (workflowId: number, ids: readonly number[], workflow: WorkflowRow, { rows }: ClaimLook) =>
  describeJobs(workflowId, ids, rows, {
    userData: workflow.has_user_data === 1,
    failureHandlers: workflow.has_failure_handlers === 1,
  })

function* takeJobs(
  chosen: readonly Candidate[],
  { status, isHeld }: { status: number; isHeld: 0 | 1 },
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
    isHeld,
    JSON.stringify(chosen.map(candidate => candidate.id)),
  ]
  yield* run(TAKE, ...args)
}

const TAKE = `
  UPDATE job SET status = ?1, claim_token = ?2 || id, compute_node_id = ?3, fence = fence + 1, claimed_at = ?4, started_at = ?5,
    lease_seconds = ?6, lease_expires_at = ?7, is_held = ?8
  WHERE id IN (SELECT value FROM json_each(?9)) AND status = ${STATUS.ready}`

/** A claim with a lease belongs to a node (api/contract/claim.ts). */
function* noteLeaseOf({ leaseSeconds, computeNodeId }: ClaimRequest, now: number): Unit<void> {
  if (leaseSeconds !== undefined && computeNodeId !== undefined)
    yield* noteLease(computeNodeId, now + leaseSeconds * 1000)
}
