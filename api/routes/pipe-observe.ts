import { countLiveRunners } from '../../db/pipe-runners.ts'
import { changePipeRun, movePipeRunIfAllowed, type PipeRunRow } from '../../db/pipe-runs.ts'
import {
  changePipeSubmission,
  insertPipeSubmission,
  listPipeSubmissions,
  observedOf,
  type PipeSubmissionRow,
} from '../../db/pipe-submissions.ts'
import { appendEvents } from '../../db/stream-events.ts'
import type { Unit } from '../../db/unit.ts'
import type { PipeObservation } from '../contract/pipe.ts'
import { areMembersOver, type MemberCounts } from '../core/pipe/counts.ts'
import {
  decidePipe,
  type PipeDecision,
  type PipeSnapshot,
  pauseReason,
  type SubmissionFacts,
} from '../core/pipe/decision.ts'
import { observe } from '../core/pipe/liveness.ts'
import { refilledTo } from '../core/pipe/refill.ts'
import { needWorkflow } from './guards.ts'
import { countMembers, describePipeRun, submissionReply } from './pipe-reply.ts'
import { sizeOf } from './pipe-stage.ts'

/**
 * Takes in what a listing says, then decides whether more elements are asked for, all in one transaction: of two who look at once only
 * one is told to submit. A submission is stored before anybody acts on it, with what the decision looked at.
 */
export function* observeAndDecide(
  run: PipeRunRow,
  observation: PipeObservation,
  { now, name }: { now: number; name: string },
): Unit<object> {
  const workflow = yield* needWorkflow(run.workflow_id)
  const submissions = yield* takeIn(run, observation, now)
  const facts = submissions.map(factsOf)
  const counts = yield* countMembers(run)
  const updated = yield* updateRun(run, facts, counts, now)
  // No job of a canceled workflow is handed out.
  const current =
    workflow.is_canceled === 1
      ? yield* movePipeRunIfAllowed(updated, 'canceled', now, 'its workflow was canceled')
      : updated
  const snapshot: PipeSnapshot = {
    now,
    state: current.state,
    isPaused: current.paused_at !== null,
    claimable: counts.claimable,
    liveRunners: yield* countLiveRunners(run.id, now),
    submissions: facts,
    graceMs: run.grace_seconds * 1000,
    size: sizeOf(run, observation.places_left),
    refilledTo: refilledTo(run.scheduler, run.throttle),
    isAsked: observation.asked ?? false,
  }
  const decision = decidePipe(snapshot)
  const submission = decision.submit ? yield* intend(current, decision, snapshot, name) : undefined
  return {
    decision: decision.submit ? { submit: true, width: decision.width, reason: decision.reason } : decision,
    submission: submission && submissionReply(submission, now),
    run: yield* describePipeRun(current, now),
  }
}

/** Notes what the listing says of each submission that is not over. */
function* takeIn(run: PipeRunRow, observation: PipeObservation, now: number): Unit<PipeSubmissionRow[]> {
  const listingStartedAt = now - observation.listing_age_ms
  const seen = new Map(observation.submissions.map(sighting => [sighting.id, sighting]))
  const rows: PipeSubmissionRow[] = []
  for (const row of yield* listPipeSubmissions(run.id)) {
    const sighting = seen.get(row.id)
    if (sighting === undefined || row.state === 'gone' || row.state === 'refused') {
      rows.push(row)
      continue
    }
    const { verdict } = sighting
    const after = observe(observedOf(row), { verdict, listingStartedAt })
    const isListed = verdict === 'queued' || verdict === 'running'
    rows.push(
      yield* changePipeSubmission(row.id, {
        state: after.state,
        liveness: after.liveness,
        misses: after.misses,
        listed_at: after.listedAt,
        // What is not known stays as it was seen last.
        queued: isListed ? (sighting.queued ?? 0) : after.state === 'gone' ? 0 : undefined,
        running: isListed ? (sighting.running ?? 0) : after.state === 'gone' ? 0 : undefined,
      }),
    )
  }
  return rows
}

const factsOf = (row: PipeSubmissionRow): SubmissionFacts => ({
  state: row.state,
  liveness: row.liveness,
  queued: row.queued,
  running: row.running,
  decidedAt: row.decided_at,
  hasRegistered: row.has_registered === 1,
})

/** A run whose arrays come to nothing is paused; one whose members have all ended goes on to its end, and back when one is put back. */
function* updateRun(
  run: PipeRunRow,
  submissions: readonly SubmissionFacts[],
  counts: MemberCounts,
  now: number,
): Unit<PipeRunRow> {
  let current = run
  const pause = run.paused_at === null ? pauseReason(submissions) : undefined
  if (pause !== undefined) {
    current = yield* changePipeRun(run.id, { paused_reason: pause, paused_at: now })
    yield* appendEvents(run.workflow_id, now, [
      { type: 'pipe_run_paused', data: { pipe_run_id: run.id, reason: pause } },
    ])
  }
  if (areMembersOver(counts)) return yield* movePipeRunIfAllowed(current, 'ingesting', now)
  return current.state === 'ingesting' ? yield* movePipeRunIfAllowed(current, 'active', now) : current
}

function* intend(
  run: PipeRunRow,
  { width, reason }: Extract<PipeDecision, { submit: true }>,
  snapshot: PipeSnapshot,
  name: string,
): Unit<PipeSubmissionRow> {
  const { now } = snapshot
  const data = { pipe_run_id: run.id, name, width, reason }
  yield* appendEvents(run.workflow_id, now, [{ type: 'pipe_submission_decided', data }])
  return yield* insertPipeSubmission({
    pipe_run_id: run.id,
    name,
    state: 'intended',
    width,
    reason,
    inputs: JSON.stringify(snapshot),
    decided_at: now,
  })
}
