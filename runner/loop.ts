import type { HandBackReason } from '../api/core/hand-back.ts'
import { LEASE_SECONDS, RENEWALS_PER_LEASE } from '../api/core/leases.ts'
import type { Attempt, EndReason } from './attempt.ts'
import { type BackOff, createBackOff } from './back-off.ts'
import type { Ledger } from './capacity/ledger.ts'
import { type ClaimTerms, claimPart } from './claim-part.ts'
import { createPace, GATHER_AT_MOST_MS, gatherMs } from './holding.ts'
import type { Exited, Launcher, Started } from './launcher/types.ts'
import { createWakeUp } from './wake-up.ts'
import type {
  ClaimedJob,
  ClaimPart,
  CompletionEntry,
  ExchangeReply,
  ExchangeRequest,
  HeartbeatReply,
  StartedEntry,
  ToldClaim,
  WorkflowSummary,
} from './wire.ts'
import { type Prepare, type Readopt, Work } from './work.ts'

/**
 * What the loop asks of the control plane. undefined = no answer this time, ask again later; a refusal for good rejects, and the loop
 * ends with it.
 */
export type LoopApi = {
  exchange(request: ExchangeRequest): Promise<ExchangeReply | undefined>
  release(claims: readonly Returning[]): Promise<boolean>
  /** Renews the leases of everything that is held. */
  heartbeat(claims: readonly ToldClaim[]): Promise<HeartbeatReply | undefined>
  summary(): Promise<WorkflowSummary | undefined>
}

export type LoopOptions = {
  api: LoopApi
  /** Opens the launcher with the loop's callbacks. */
  openLauncher(callbacks: {
    onStarted(events: Started[]): void
    onExited(events: Exited[]): void
    onLost(reason: string): void
  }): Promise<Launcher>
  ledger: Ledger
  /** Why a job cannot even be started here; it is given back then. */
  unfitFor?(job: ClaimedJob): HandBackReason | undefined
  prepare: Prepare
  readopt: Readopt
  finalise(attempt: Attempt, end: Exited, reason: EndReason | undefined): CompletionEntry
  claim: ClaimTerms
  /** Epoch milliseconds after which the runner ends its jobs; claims say how long is left. */
  endAtMs?: number
  /** How long to stay without work, whatever else there is; else the workflow says, and what cannot run here ends the loop. */
  idleExitMs?: number
  /** Time between TERM and KILL. */
  graceMs: number
  /** How often a runner with work looks at the workflow's counts, and whether it was canceled. */
  lookMs: number
  /** How long a request is repeated before the runner gives up on the control plane. */
  offlineAtMostMs: number
  clock: () => number
  onChange?(state: LoopState): void
  /** Whether somebody else lends parts of this node's ledger now. */
  nodeIsShared?(): boolean
}

export type LoopState = {
  summary: WorkflowSummary | undefined
  finished: number
  running: { jobId: number; name: string; startedAtMs: number }[]
  held: number
  draining: boolean
  offline: boolean
}

/**
 * Why the loop ended. `no_room`: what is left cannot run here, and nobody else is there to do it. `idle`: others work, but nothing came
 * for this runner in the time the workflow names. `offline`: the control plane stayed away; the journal keeps what it was not told.
 */
export type LoopEnd = 'complete' | 'canceled' | 'drained' | 'no_room' | 'idle' | 'offline' | 'launcher_lost'

export type Loop = {
  run(): Promise<LoopEnd>
  /** Takes nothing new and lets what runs finish. */
  drain(): void
  /** Ends what runs: TERM, then KILL after the grace; at once when asked again. */
  stop(): void
  /** Somebody else has given back a part of the node. */
  moreRoom(): void
}

/** A claim that is to be given back. */
type Returning = { job_id: number; claim_token: string; reason?: HandBackReason }

const FIRST_POLL_MS = 200
const POLL_CAP_MS = 30_000
/** The loop looks round at least this often. */
const LONGEST_WAIT_MS = 30_000
/** Most completions in one batch. */
const MAX_BATCH = 1_000
/** Leases are renewed this often, so that two renewals may be lost. */
const RENEW_MS = (LEASE_SECONDS * 1000) / RENEWALS_PER_LEASE
/** The longest pause between two tries to renew: an exit waits for it. */
const BEAT_CAP_MS = 5_000
/** Whoever watches is told at most this often. */
const SHOW_MS = 500

/** The runner's loop: claim, launch, report, wait. It decides what to tell and ask the control plane, and when; `Work` has the jobs. */
export function createLoop(options: LoopOptions): Loop {
  const { api, ledger, clock, claim } = options
  const wake = createWakeUp()
  /** Ends the pause between two tries to reach the control plane. */
  const hurry = createWakeUp()
  const pace = createPace()
  const poll: BackOff = createBackOff({ firstMs: FIRST_POLL_MS, capMs: POLL_CAP_MS, jitter: 0.1 })
  const beat: BackOff = createBackOff({ firstMs: FIRST_POLL_MS, capMs: BEAT_CAP_MS, jitter: 0.2 })
  const work = new Work({
    ledger,
    pace,
    prepare: options.prepare,
    readopt: options.readopt,
    bySlots: claim.bySlots,
    graceMs: options.graceMs,
    clock,
    mayStart: () => phase === 'open' && !away && lost === undefined,
  })
  /** Given back, and not yet answered: the claim may be somebody else's by now, so none of these is ever started. */
  let returning: Returning[] = []
  let exited: { entry: CompletionEntry; atMs: number }[] = []
  let started: StartedEntry[] = []
  let finished = 0
  let summary: WorkflowSummary | undefined
  let phase: 'open' | 'draining' | 'stopping' = 'open'
  let offline = false
  /** Offline for longer than the workflow allows: what runs may finish, nothing more starts. */
  let away = false
  let lost: string | undefined
  let lastRequestMs = 0
  let lastRenewedMs = clock()
  let lastShownMs = 0
  let lastLookMs = 0
  /** No claim before this moment: the last one found nothing. */
  let claimAtMs = 0
  /** When to ask next whether anything is left to do: right after each claim that found nothing. */
  let checkEndAtMs = Infinity
  /** No release before this moment: the last one was not answered. */
  let releaseAtMs = 0
  /** Held work had to be given back: nothing is held again before a job ends. */
  let stuck = false
  /** The node has more room than the last claim said. */
  let hasGrown = false
  let lastWorkMs = clock()
  let talking: Promise<void> | undefined
  let ended: LoopEnd | undefined
  /** Set when the control plane refused for good: asking again is of no use. */
  let failure: { error: unknown } | undefined

  // ---- the launcher's events ----

  function onStarted(events: readonly Started[]): void {
    for (const event of events) {
      const one = work.started(event)
      if (one?.job.status !== 'pending') continue
      started.push({ job_id: one.job.id, claim_token: one.job.claim_token, start_time: event.startedAtMs })
    }
    wake.notify()
  }

  function onExited(events: readonly Exited[]): void {
    for (const event of events) {
      const one = work.exited(event)
      if (one === undefined) continue
      exited.push({ entry: options.finalise(one.attempt, event, one.reason), atMs: event.exitedAtMs })
      // A job that started and ended since the last request is told in its completion alone.
      if (one.job.status === 'pending') started = started.filter(entry => entry.job_id !== one.job.id)
      pace.ended(event.exitedAtMs - event.startedAtMs)
      lastWorkMs = clock()
      finished++
      stuck = false
    }
    if ((away || offline) && !work.isLaunching) hurry.notify()
    work.startHeld()
    wake.notify()
  }

  function onLost(reason: string): void {
    lost = reason
    work.forgetLaunches()
    wake.notify()
  }

  // ---- ending ----

  function drain(): void {
    if (phase === 'open') phase = 'draining'
    checkEndAtMs = 0
    void recallAll()
    changed()
    wake.notify()
  }

  function stop(): void {
    if (work.endingAll === undefined) endAll('stopped')
    else work.killAll()
  }

  function endAll(reason: EndReason): void {
    phase = 'stopping'
    checkEndAtMs = 0
    hurry.notify()
    work.endAll(reason)
    wake.notify()
  }

  async function recallAll(): Promise<void> {
    await work.recall(() => true)
    wake.notify()
  }

  function moreRoom(): void {
    hasGrown = true
    claimAtMs = 0
    checkEndAtMs = Infinity
    work.startHeld()
    wake.notify()
  }

  // ---- giving back ----

  function releaseDue(now: number): boolean {
    if (now < releaseAtMs) return false
    return returning.length > 0 || work.hasToGiveBack(phase !== 'open', now)
  }

  /** Gives back what was claimed and not started: all of it when draining, else what has waited too long. */
  async function release(now: number): Promise<void> {
    const back = await work.giveBack(() => phase !== 'open', now)
    returning.push(...back.map(({ job }) => ({ job_id: job.id, claim_token: job.claim_token })))
    if (returning.length > 0) {
      stuck = true
      if (await api.release(returning)) returning = []
      else {
        releaseAtMs = clock() + FIRST_POLL_MS
        if (phase === 'stopping' && !work.isLaunching) ended = 'offline'
      }
    }
    work.startHeld()
  }

  // ---- talking ----

  /** What to ask for now; undefined when nothing is wanted. */
  function wishedClaim(now: number): ClaimPart | undefined {
    // The copy that was lost may be the next one we are given: it has to be gone first.
    if (phase !== 'open' || work.isEndingLost) return undefined
    const waiting = work.waitingCount()
    const free = ledger.free()
    const limit = waiting > 0 ? 0 : free.slots
    const target = pace.holdTarget(work.runningCount())
    const hold = stuck || waiting * 2 > target ? 0 : Math.max(0, target - waiting)
    if (limit <= 0 && hold <= 0) return undefined
    const secondsLeft = options.endAtMs === undefined ? undefined : (options.endAtMs - now) / 1000
    return claimPart(claim, { limit, free, total: ledger.total, hold, holdNeed: work.largestNeed(), secondsLeft })
  }

  /** Sends what has ended and asks for more, in one request that is repeated until it is answered. */
  async function exchange(now: number): Promise<void> {
    const part = exited.length > 0 || now >= claimAtMs ? wishedClaim(now) : undefined
    if (part !== undefined) hasGrown = false
    const batch = exited.slice(0, MAX_BATCH)
    // A held job that ends within moments is told in its completion alone.
    const told = started.filter(entry => now - entry.start_time >= GATHER_AT_MOST_MS)
    exited = exited.slice(batch.length)
    started = started.filter(entry => !told.includes(entry))
    const request: ExchangeRequest = { completions: batch.map(one => one.entry), verdicts: true }
    if (told.length > 0) request.started = told
    if (part !== undefined) request.claim = part
    const reply = await untilAnswered(request)
    lastRequestMs = clock()
    if (reply === undefined) {
      exited = [...batch, ...exited]
      return
    }
    work.markRunning(new Set(told.map(entry => entry.job_id)))
    if (batch.length > 0) poll.reset()
    if (part !== undefined) take(reply.claimed ?? [], part)
    if (lastRequestMs - lastShownMs >= SHOW_MS) changed()
  }

  /** The same claim_id gets the same jobs and a repeated completion is a duplicate, so repeating costs nothing. */
  async function untilAnswered(request: ExchangeRequest): Promise<ExchangeReply | undefined> {
    const retry = createBackOff({ firstMs: FIRST_POLL_MS, capMs: POLL_CAP_MS, jitter: 0.2 })
    const since = clock()
    for (;;) {
      // Leases first: a claim after they have lapsed could bring our own jobs, which still run.
      const isRenewed = !renewalIsDue(clock()) || (await renew())
      const reply = isRenewed ? await api.exchange(request) : undefined
      offline = reply === undefined
      away = offline && (phase === 'stopping' || clock() - since > options.offlineAtMostMs)
      if (reply !== undefined) return reply
      changed()
      if (away) await recallAll()
      if (away && !work.isLaunching) {
        ended = 'offline'
        return undefined
      }
      await hurry.wait(retry.next())
    }
  }

  function take(jobs: readonly ClaimedJob[], part: ClaimPart): void {
    const now = clock()
    if (jobs.length === 0) {
      if (hasGrown) return
      claimAtMs = now + poll.next()
      if (part.limit > 0) checkEndAtMs = now
      return
    }
    poll.reset()
    claimAtMs = 0
    if (idle()) lastRenewedMs = now
    const runnable: ClaimedJob[] = []
    for (const job of jobs) {
      const reason = options.unfitFor?.(job)
      if (reason === undefined) runnable.push(job)
      else returning.push({ job_id: job.id, claim_token: job.claim_token, reason })
    }
    work.take(runnable)
  }

  const renewalIsDue = (now: number): boolean => !idle() && now - lastRenewedMs >= RENEW_MS

  /** Renews the leases, and parts with what is no longer ours. False when there was no answer. */
  async function renew(): Promise<boolean> {
    const now = clock()
    const ended = exited.map(({ entry }) => ({ ...entry, running: false }))
    const given = returning.map(claim => ({ ...claim, running: false }))
    const reply = await api.heartbeat(
      [...work.claims(), ...ended, ...given].map(({ job_id, claim_token, running }) => ({
        job_id,
        claim_token,
        running,
      })),
    )
    if (reply === undefined) return false
    lastRenewedMs = now
    work.readopt(reply.reclaimed)
    await work.part(new Set(reply.cancel), 'canceled')
    await work.part(new Set(reply.lost), 'lost')
    return true
  }

  /** The same as a conversation of its own; without an answer it is tried again a little later. */
  async function keepLeases(): Promise<void> {
    offline = !(await renew())
    if (!offline) return beat.reset()
    changed()
    await hurry.wait(beat.next())
  }

  async function look(now: number): Promise<void> {
    lastLookMs = now
    const found = await api.summary()
    offline = found === undefined
    if (found !== undefined) summary = found
    // A job that waits out its pause is there by then, however long the poll has become.
    const retryMs = (found?.next_retry_in_seconds ?? Number.POSITIVE_INFINITY) * 1000
    claimAtMs = Math.min(claimAtMs, now + retryMs)
    if (found?.is_canceled === true && work.endingAll === undefined) endAll('canceled')
    changed()
  }

  function changed(): void {
    lastShownMs = clock()
    options.onChange?.({
      summary,
      finished,
      running: work.running().map(one => ({ jobId: one.job.id, name: one.job.name, startedAtMs: one.startedAtMs })),
      held: work.waitingCount(),
      draining: phase !== 'open',
      offline,
    })
  }

  // ---- the loop ----

  const idle = (): boolean => work.isEmpty && returning.length === 0 && exited.length === 0

  /** Decides whether anything is left to do here. Asked when nothing is under way and the last claim got nothing. */
  async function checkEnd(now: number): Promise<void> {
    checkEndAtMs = Infinity
    await look(now)
    if (!idle()) return
    if (offline || summary === undefined) {
      if (phase === 'stopping') ended = 'offline'
      checkEndAtMs = now + FIRST_POLL_MS
      return
    }
    if (summary.is_canceled) ended = 'canceled'
    else if (summary.is_complete) ended = 'complete'
    else if (phase !== 'open') ended = 'drained'
    // What does not fit beside local launches may fit when they end.
    else if (options.nodeIsShared?.() === true) checkEndAtMs = now + LONGEST_WAIT_MS
    else if (summary.next_retry_in_seconds !== undefined) return
    else if (!othersWork(summary)) endUnlessPatient(now, 'no_room', 0)
    else endUnlessPatient(now, 'idle', summary.wait_for_new_jobs_seconds * 1000)
  }

  function endUnlessPatient(now: number, end: LoopEnd, usualMs: number): void {
    if (now - lastWorkMs >= (options.idleExitMs ?? usualMs)) ended = end
  }

  /** Somebody else runs jobs of the workflow, or could run what does not fit here. */
  const othersWork = ({ jobs_by_status: counts, active_compute_nodes: nodes }: WorkflowSummary): boolean =>
    (counts.pending ?? 0) + (counts.running ?? 0) > 0 || ((counts.ready ?? 0) > 0 && nodes > 1)

  const slotFree = (): boolean => phase === 'open' && !work.isEndingLost && ledger.free().slots > 0

  /** When completions are due, in milliseconds from now. Jobs that are ended together are told together. */
  function gatherDelay(now: number): number {
    if (phase === 'stopping' && work.isLaunching) return exited[0]!.atMs + GATHER_AT_MOST_MS - now
    return gatherMs({
      slotFree: slotFree(),
      held: work.waitingCount(),
      sinceRequestMs: now - lastRequestMs,
      oldestExitMs: now - exited[0]!.atMs,
    })
  }

  /** What to tell or ask the control plane now; one conversation at a time, so batches stay in order. */
  function dueTalk(now: number): (() => Promise<void>) | undefined {
    if (releaseDue(now)) return () => release(now)
    if (exited.length > 0 && gatherDelay(now) <= 0) return () => exchange(now)
    if (started.some(entry => now - entry.start_time >= GATHER_AT_MOST_MS)) return () => exchange(now)
    // Each exchange renews what is due by itself, and knows what to do when nobody answers.
    if (renewalIsDue(now)) return keepLeases
    if (now >= claimAtMs && exited.length === 0 && wishedClaim(now) !== undefined) return () => exchange(now)
    if (idle() && now >= checkEndAtMs) return () => checkEnd(now)
    if (!idle() && now - lastLookMs >= options.lookMs) return () => look(now)
    return undefined
  }

  function waitMs(now: number): number {
    const times = [LONGEST_WAIT_MS, work.quietMs(now)]
    if (talking === undefined) {
      if (!idle()) times.push(lastLookMs + options.lookMs - now, lastRenewedMs + RENEW_MS - now)
      else times.push(checkEndAtMs - now)
      if (exited.length > 0) times.push(gatherDelay(now))
      for (const entry of started) times.push(entry.start_time + GATHER_AT_MOST_MS - now)
      if (slotFree()) times.push(claimAtMs - now)
      if (work.giveBackAtMs !== undefined) times.push(Math.max(releaseAtMs, work.giveBackAtMs) - now)
      if (returning.length > 0) times.push(releaseAtMs - now)
    }
    if (options.endAtMs !== undefined && phase !== 'stopping') times.push(options.endAtMs - now)
    return Math.max(1, Math.min(...times))
  }

  async function run(): Promise<LoopEnd> {
    const launcher = await options.openLauncher({ onStarted, onExited, onLost })
    work.use(launcher)
    try {
      for (;;) {
        if (lost !== undefined) {
          // A claim that is answered later would belong to nobody.
          await talking
          return ended ?? 'launcher_lost'
        }
        const now = clock()
        work.endOverdue(now)
        if (options.endAtMs !== undefined && now >= options.endAtMs && phase !== 'stopping') stop()
        if (talking === undefined) {
          const talk = dueTalk(now)
          if (talk !== undefined) {
            talking = talk()
              .catch(error => {
                failure = { error }
              })
              .then(() => {
                talking = undefined
                wake.notify()
              })
          }
        }
        if (failure !== undefined) throw failure.error
        if (ended !== undefined) return ended
        await wake.wait(waitMs(clock()))
      }
    } finally {
      await launcher.close({ kill: true })
    }
  }

  return { run, drain, stop, moreRoom }
}
