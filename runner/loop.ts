import type { EndReason } from './attempt.ts'
import { type BackOff, createBackOff } from './back-off.ts'
import { createClaimPace } from './claim-pace.ts'
import { claimPart } from './claim-part.ts'
import { decideEnd, type LoopEnd } from './ending.ts'
import { createPace, GATHER_AT_MOST_MS, gatherMs } from './holding.ts'
import type { Ended, Finalised } from './job-threads/finalisers.ts'
import type { Exited, Started } from './launcher/types.ts'
import type { Loop, LoopOptions, Returning } from './loop-types.ts'
import { createRenewal } from './renewal.ts'
import { createReports } from './reports.ts'
import type { TakenOver } from './take-over.ts'
import { createWakeUp } from './wake-up.ts'
import type { ClaimedJob, ClaimPart, ExchangeReply, ExchangeRequest, StartedEntry, WorkflowSummary } from './wire.ts'
import { Work } from './work.ts'

export type { LoopEnd } from './ending.ts'
export type { Loop, LoopApi, LoopOptions, LoopState, Notices } from './loop-types.ts'

/** Between tries to reach the control plane: the first pause, and the longest. */
const FIRST_RETRY_MS = 200
const RETRY_CAP_MS = 30_000
/** The loop looks round at least this often. */
const LONGEST_WAIT_MS = 30_000
/** The longest pause between two tries to renew: an exit waits for it. */
const BEAT_CAP_MS = 5_000
/** Whoever watches is told at most this often. */
const SHOW_MS = 500
/** For so long a runner holds nothing ahead after it has heard that another one starves. */
const SPARING_MS = 2_000
/** A runner that has had work for this long listens to no notices: what it does not need costs somebody else. */
const HUSH_AFTER_MS = 5_000

/** The runner's loop: claim, launch, report, wait. It decides what to tell and ask the control plane, and when; `Work` has the jobs. */
export function createLoop(options: LoopOptions): Loop {
  const { api, ledger, clock, claim, finalisers } = options
  const wake = createWakeUp()
  /** Ends the pause between two tries to reach the control plane. */
  const hurry = createWakeUp()
  const pace = createPace()
  const leaseMs = claim.leaseSeconds * 1000
  const claiming = createClaimPace(leaseMs)
  const beat: BackOff = createBackOff({ firstMs: FIRST_RETRY_MS, capMs: BEAT_CAP_MS, jitter: 0.2 })
  const work = new Work({
    ledger,
    pace,
    prepare: options.prepare,
    readopt: options.readopt,
    bySlots: claim.bySlots,
    endOf: options.endOf,
    drainAtMs: () => options.end?.drainAtMs ?? Infinity,
    clock,
    // What may be somebody else's by now is not started before a heartbeat has said that it is not.
    mayStart: () => phase === 'open' && !away && lost === undefined && !renewal.mayHaveLapsed(clock()),
  })
  const reports = createReports()
  const renewal = createRenewal({
    work,
    leaseMs,
    heartbeat: claims => api.heartbeat(claims, claim.leaseSeconds),
    unsettled: () => [...finalisers.claims(), ...reports.ends(), ...returning],
    clock,
  })
  /** Given back, and not yet answered: the claim may be somebody else's by now, so none of these is ever started. */
  let returning: Returning[] = []
  let finished = 0
  let summary: WorkflowSummary | undefined
  let phase: 'open' | 'draining' | 'stopping' = 'open'
  let offline = false
  /** Offline for longer than the workflow allows: what runs may finish, nothing more starts. */
  let away = false
  let lost: string | undefined
  let lastRequestMs = 0
  let lastShownMs = 0
  let lastLookMs = 0
  /** The reply of the claim that found nothing has said how the workflow stands. */
  let knowsOutlook = false
  /** When to ask next whether anything is left to do: right after each claim that found nothing. */
  let checkEndAtMs = Infinity
  /** No release before this moment: the last one was not answered. */
  let releaseAtMs = 0
  /** Held work had to be given back: nothing is held again before a job ends. */
  let stuck = false
  /** Another runner has nothing to do: nothing is held here before this moment. */
  let sparingUntilMs = 0
  /** When work was last looked for in vain. */
  let lastVainMs = clock()
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
      reports.addStart(startOf(one.job, event.startedAtMs))
    }
    wake.notify()
  }

  function onExited(events: readonly Exited[]): void {
    const ended: Ended[] = []
    for (const event of events) {
      const one = work.exited(event)
      if (one === undefined) continue
      ended.push({ job: one.job, attempt: one.attempt, end: event, reason: one.reason })
      pace.ended(event.exitedAtMs - event.startedAtMs)
      lastWorkMs = clock()
      finished++
      stuck = false
    }
    finalisers.take(ended, onFinalised)
    if ((away || offline) && !work.isLaunching) hurry.notify()
    work.startHeld()
    wake.notify()
  }

  function onFinalised(done: readonly Finalised[]): void {
    for (const { ended, entry } of done) {
      reports.addEnd(entry, ended.end.exitedAtMs)
      if (ended.job.status === 'pending') reports.dropStart(ended.job.id)
    }
    if ((away || offline) && !hasOpenAttempts()) hurry.notify()
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

  function heedTheEnd({ drainAtMs, stopAtMs }: NonNullable<LoopOptions['end']>, now: number): void {
    if (now >= stopAtMs && phase !== 'stopping') stop()
    else if (now >= drainAtMs && phase === 'open') drain()
  }

  async function recallAll(): Promise<void> {
    await work.recall(() => true)
    wake.notify()
  }

  function moreRoom(): void {
    claiming.hasNews()
    checkEndAtMs = Infinity
    work.startHeld()
    wake.notify()
  }

  function workMayBeReady(): void {
    claiming.noticed(clock())
    wake.notify()
  }

  /** Nobody is going to answer in time: there is no time, or the next answer is the same. */
  const isCutOff = (): boolean => phase === 'stopping' || api.isShutOut?.() === true

  // ---- giving back ----

  function releaseDue(now: number): boolean {
    if (now < releaseAtMs) return false
    return returning.length > 0 || work.hasToGiveBack(keepsNothing(now), now)
  }

  /** Nothing waits here for a slot: the runner leaves, or others could start it now. */
  const keepsNothing = (now: number): boolean => phase !== 'open' || now < sparingUntilMs

  /** Gives back what was claimed and not started: all of it when nothing is to wait here, else what has waited too long. */
  async function release(now: number): Promise<void> {
    const back = await work.giveBack(() => keepsNothing(clock()), now)
    returning.push(...back.map(({ job }) => ({ job_id: job.id, claim_token: job.claim_token })))
    if (returning.length > 0) {
      stuck = true
      if (await api.release(returning)) returning = []
      else {
        releaseAtMs = clock() + FIRST_RETRY_MS
        if (isCutOff() && !hasOpenAttempts()) ended = 'offline'
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
    const hold = stuck || now < sparingUntilMs || waiting * 2 > target ? 0 : Math.max(0, target - waiting)
    if (limit <= 0 && hold <= 0) return undefined
    const secondsLeft = options.end && (options.end.drainAtMs - now) / 1000
    return claimPart(claim, { limit, free, total: ledger.total, hold, holdNeed: work.largestNeed(), secondsLeft })
  }

  /** Sends what has ended and asks for more, in one request that is repeated until it is answered. */
  async function exchange(now: number): Promise<void> {
    const part = reports.hasEnds || now >= claiming.atMs ? wishedClaim(now) : undefined
    // Without work, what is left to do is asked for in the same breath.
    const wantsSummary = part !== undefined && part.limit > 0 && idle()
    if (part !== undefined) claiming.asked()
    const batch = reports.take(now)
    const request: ExchangeRequest = { completions: batch.ends.map(one => one.entry), verdicts: true }
    if (batch.started.length > 0) request.started = batch.started
    if (part !== undefined) request.claim = part
    if (wantsSummary) request.summary = true
    const reply = await untilAnswered(request)
    lastRequestMs = clock()
    if (reply === undefined) {
      reports.putBack(batch)
      return
    }
    work.markRunning(new Set(batch.started.map(entry => entry.job_id)))
    if (batch.ends.length > 0) claiming.progressed()
    if (part !== undefined) take(reply, part, now)
    if (lastRequestMs - lastShownMs >= SHOW_MS) changed()
  }

  /** The same claim_id gets the same jobs and a repeated completion is a duplicate, so repeating costs nothing. */
  async function untilAnswered(request: ExchangeRequest): Promise<ExchangeReply | undefined> {
    const retry = createBackOff({ firstMs: FIRST_RETRY_MS, capMs: RETRY_CAP_MS, jitter: 0.2 })
    const since = clock()
    for (;;) {
      // Leases first: a claim after they have lapsed could bring our own jobs, which still run.
      const isRenewed = !renewalIsDue(clock()) || (await renew())
      const reply = isRenewed ? await api.exchange(request) : undefined
      offline = reply === undefined
      away = offline && (isCutOff() || clock() - since > options.offlineAtMostMs)
      if (reply !== undefined) return reply
      changed()
      if (away) await recallAll()
      if (away && !hasOpenAttempts()) {
        ended = 'offline'
        return undefined
      }
      await hurry.wait(retry.next())
    }
  }

  function take({ claimed: jobs = [], summary: told }: ExchangeReply, part: ClaimPart, sentAtMs: number): void {
    const now = clock()
    if (jobs.length === 0) {
      if (!claiming.foundNothing(now)) return
      lastVainMs = now
      options.notices?.listen()
      knowsOutlook = told !== undefined
      if (told !== undefined) learn(told, now)
      if (part.limit > 0) checkEndAtMs = now
      return
    }
    claiming.progressed()
    // The workflow of these may want more time for its end than there is.
    if (options.end !== undefined) heedTheEnd(options.end, now)
    // The first try may have got them, however many it took to hear of it.
    renewal.begin(sentAtMs, idle())
    const { fresh, others } = work.recognise(jobs)
    for (const { id, claim_token } of others) returning.push({ job_id: id, claim_token })
    if (others.length > 0) renewal.hasten()
    const runnable: ClaimedJob[] = []
    for (const job of fresh) {
      const reason = options.unfitFor?.(job)
      if (reason === undefined) runnable.push(job)
      else returning.push({ job_id: job.id, claim_token: job.claim_token, reason })
    }
    work.take(runnable)
  }

  const renewalIsDue = (now: number): boolean => !idle() && now >= renewal.dueAtMs

  /** Renews the leases, and parts with what is no longer ours. False when there was no answer. */
  async function renew(): Promise<boolean> {
    const reply = await renewal.renew()
    if (reply === undefined) return false
    if (reply.starving) sparingUntilMs = clock() + SPARING_MS
    work.startHeld()
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
    const found = await api.summary()
    offline = found === undefined
    if (found !== undefined) learn(found, now)
    else lastLookMs = now
    changed()
  }

  function learn(found: WorkflowSummary, now: number): void {
    lastLookMs = now
    summary = found
    // A job that waits out its pause is there by then, however long the poll has become.
    if (found.next_retry_in_seconds !== undefined) claiming.notLaterThan(now + found.next_retry_in_seconds * 1000)
    if (found.is_canceled && work.endingAll === undefined) endAll('canceled')
    const canceled = new Set(found.canceled_workflows)
    if (canceled.size > 0) void work.part(work.jobsOf(canceled), 'canceled').then(wake.notify)
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

  /** Something runs, or has ended and is not ready to be told. */
  const hasOpenAttempts = (): boolean => work.isLaunching || !finalisers.isEmpty
  const idle = (): boolean => work.isEmpty && finalisers.isEmpty && returning.length === 0 && !reports.hasEnds

  /** Decides whether anything is left to do here. Asked when nothing is under way and the last claim got nothing. */
  async function checkEnd(now: number): Promise<void> {
    checkEndAtMs = Infinity
    if (!knowsOutlook) await look(now)
    knowsOutlook = false
    if (!idle()) return
    if (offline || summary === undefined) {
      if (isCutOff()) ended = 'offline'
      checkEndAtMs = now + FIRST_RETRY_MS
      return
    }
    const decision = decideEnd({
      summary,
      isLeaving: phase !== 'open',
      idleMs: now - lastWorkMs,
      idleExitMs: options.idleExitMs,
      stays: options.stays === true,
      nodeIsShared: options.nodeIsShared?.() === true,
    })
    if (decision.end !== undefined) ended = decision.end
    else checkEndAtMs = now + decision.againInMs
  }

  const slotFree = (): boolean => phase === 'open' && !work.isEndingLost && ledger.free().slots > 0

  /** When completions are due, in milliseconds from now. Jobs that are ended together are told together. */
  function gatherDelay(now: number): number {
    if (phase === 'stopping' && hasOpenAttempts()) return reports.oldestEndMs + GATHER_AT_MOST_MS - now
    return gatherMs({
      slotFree: slotFree(),
      held: work.waitingCount(),
      sinceRequestMs: now - lastRequestMs,
      oldestExitMs: now - reports.oldestEndMs,
    })
  }

  /** What to tell or ask the control plane now; one conversation at a time, so batches stay in order. */
  function dueTalk(now: number): (() => Promise<void>) | undefined {
    if (releaseDue(now)) return () => release(now)
    if (reports.hasEnds && gatherDelay(now) <= 0) return () => exchange(now)
    if (now >= reports.startDueAtMs) return () => exchange(now)
    // Each exchange renews what is due by itself, and knows what to do when nobody answers.
    if (renewalIsDue(now)) return keepLeases
    if (now >= claiming.atMs && !reports.hasEnds && wishedClaim(now) !== undefined) return () => exchange(now)
    if (idle() && now >= checkEndAtMs) return () => checkEnd(now)
    if (!idle() && now - lastLookMs >= options.lookMs) return () => look(now)
    return undefined
  }

  function waitMs(now: number): number {
    const times = [LONGEST_WAIT_MS, work.quietMs(now)]
    if (talking === undefined) {
      if (!idle()) times.push(lastLookMs + options.lookMs - now, renewal.dueAtMs - now)
      else times.push(checkEndAtMs - now)
      if (reports.hasEnds) times.push(gatherDelay(now))
      times.push(reports.startDueAtMs - now)
      if (slotFree()) times.push(claiming.atMs - now)
      if (work.giveBackAtMs !== undefined) times.push(Math.max(releaseAtMs, work.giveBackAtMs) - now)
      if (returning.length > 0) times.push(releaseAtMs - now)
    }
    if (options.end !== undefined && phase !== 'stopping')
      times.push((phase === 'open' ? options.end.drainAtMs : options.end.stopAtMs) - now)
    return Math.max(1, Math.min(...times))
  }

  /** Before the launcher speaks: it may have exits of them to tell. Their leases come first, as nobody has renewed them for a while. */
  function takeOver({ adoption, jobs }: TakenOver): void {
    work.adopt(jobs, adoption.nextTag)
    renewal.begin(0, true)
    for (const { job, startedAtMs } of jobs) if (job.status === 'pending') reports.addStart(startOf(job, startedAtMs))
  }

  async function run(): Promise<LoopEnd> {
    if (options.takenOver !== undefined) takeOver(options.takenOver)
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
        if (options.end !== undefined) heedTheEnd(options.end, now)
        if (!slotFree() && now - lastVainMs >= HUSH_AFTER_MS) options.notices?.hush()
        // A conversation that is begun now would outlive the loop: its claim would be nobody's.
        if (talking === undefined && ended === undefined) {
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
      options.notices?.hush()
      // What has ended while we did goes into the outbox at least.
      await finalisers.close()
      await launcher.close({ kill: true })
    }
  }

  return { run, drain, stop, moreRoom, workMayBeReady }
}

const startOf = ({ id, claim_token }: ClaimedJob, startedAtMs: number): StartedEntry => ({
  job_id: id,
  claim_token,
  start_time: startedAtMs,
})
