import { countPipeMembers, type ElementOffer, nextMemberRetryAt } from '../../db/pipe-members.ts'
import { countLiveRunners } from '../../db/pipe-runners.ts'
import { findPipeRun, type PipeRunRow } from '../../db/pipe-runs.ts'
import { listPipeSubmissions, type PipeSubmissionRow } from '../../db/pipe-submissions.ts'
import type { Unit } from '../../db/unit.ts'
import { areMembersOver, type MemberCounts, memberCounts } from '../core/pipe/counts.ts'
import { workingSeconds } from '../core/pipe/element.ts'
import type { PipeKey } from '../core/pipe/key.ts'
import { isPipeOver } from '../core/pipe/state.ts'
import { AppError, missing } from '../errors.ts'
import { compact, storedJson } from './reply.ts'

/** A claim offers this much more than what is left (runner/claim-part.ts). */
const CLAIM_SLACK_SECONDS = 120

/** What of the stored spec decides here. */
type StoredSpec = { slots: number }

export function* needPipeRun(id: number): Unit<PipeRunRow> {
  const run = yield* findPipeRun(id)
  if (run === undefined) throw missing('Pipe run', id)
  return run
}

/** A run that has ended is never changed. */
export function* needOpenPipeRun(id: number, verb: string): Unit<PipeRunRow> {
  const run = yield* needPipeRun(id)
  if (isPipeOver(run.state))
    throw new AppError('illegal_status', `Cannot ${verb} pipe run ${id} as it has ended: its state is ${run.state}`)
  return run
}

/** No file of the run directory was found to be torn. */
export const isReadable = ({ unreadable }: PipeRunRow): boolean => unreadable === '[]'

const keyOf = (run: PipeRunRow): PipeKey => JSON.parse(run.key) as PipeKey

function offerOf(run: PipeRunRow): ElementOffer {
  const key = keyOf(run)
  const { slots } = JSON.parse(run.spec) as StoredSpec
  return {
    cores: key.num_cpus * slots,
    memoryBytes: key.memory * slots,
    gpus: key.num_gpus * slots,
    runtimeSeconds: workingSeconds(run.walltime_seconds) + CLAIM_SLACK_SECONDS,
  }
}

export function* countMembers(run: PipeRunRow): Unit<MemberCounts> {
  return memberCounts(yield* countPipeMembers(run.id, offerOf(run)))
}

export const submissionReply = (row: PipeSubmissionRow, now: number) =>
  compact({
    id: row.id,
    name: row.name,
    state: row.state,
    width: row.width,
    reason: row.reason,
    inputs: storedJson(row.inputs),
    decided_at: row.decided_at,
    decided_age_ms: now - row.decided_at,
    acknowledged_at: row.acknowledged_at,
    scheduler_id: row.scheduler_id,
    liveness: row.liveness,
    queued: row.queued,
    running: row.running,
    has_registered: row.has_registered === 1,
    message: row.message,
  })

/** Shows a run with all that belongs to it. */
export function* describePipeRun(run: PipeRunRow, now: number): Unit<object> {
  const submissions = yield* listPipeSubmissions(run.id)
  return {
    ...compact({
      id: run.id,
      workflow_id: run.workflow_id,
      state: run.state,
      state_since: run.state_since,
      reason: run.reason,
      scheduler: run.scheduler,
      directory: run.directory,
      key: keyOf(run),
      spec: storedJson(run.spec),
      width: run.width,
      throttle: run.throttle,
      array_most: run.array_most,
      walltime_seconds: run.walltime_seconds,
      grace_seconds: run.grace_seconds,
      created_at: run.created_at,
      paused_reason: run.paused_reason,
      paused_at: run.paused_at,
      strikes: run.strikes,
      last_error: run.last_error,
      unreadable: storedJson(run.unreadable),
      post_step: run.post_step,
      post_state: run.post_state,
      post_by: run.post_by,
      post_return_code: run.post_return_code,
    }),
    ...(yield* progressOf(run, now)),
    submissions: submissions.map(row => submissionReply(row, now)),
  }
}

/** How far a run is: what its runners ask again and again. */
export function* progressOf(run: PipeRunRow, now: number): Unit<object> {
  const counts = yield* countMembers(run)
  const retryAt = yield* nextMemberRetryAt(run.id)
  return {
    state: run.state,
    is_over: isPipeOver(run.state),
    are_members_over: areMembersOver(counts),
    members: { total: counts.total, by_status: counts.byStatus },
    ejected: counts.ejected,
    misfits: counts.misfits,
    claimable: counts.claimable,
    live_runners: yield* countLiveRunners(run.id, now),
    ...compact({ next_retry_in_seconds: retryAt === undefined ? null : Math.max(0, retryAt - now) / 1000 }),
  }
}
